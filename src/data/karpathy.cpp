// The reader of Karpathy's splits (dataset_coco.json, dataset_flickr30k.json,
// dataset_flickr8k.json).

#include "base/error.h"
#include "data/photos.h"
#include "data/readers.h"

#include <set>
#include <utility>

#include <fmt/ranges.h>

namespace sightline {

namespace {

std::set<std::string> names_joined(std::string_view joined) {
  std::set<std::string> names;
  for (size_t begin = 0; begin <= joined.size();) {
    const size_t end = std::min(joined.find('+', begin), joined.size());
    names.emplace(joined.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

void read_photo(const Json& image, CaptionedPhoto& photo) {
  photo.file = words_at(image, "filename", photo.where);
  const auto folder = json_get_or<std::string>(image, "filepath", "", photo.where);
  if (!folder.empty()) photo.file = folder + "/" + photo.file;
  const Json& sentences = array_at(image, "sentences", photo.where);
  for (size_t i = 0; i < sentences.size(); ++i) {
    photo.captions.push_back(
        words_at(sentences[i], "raw", fmt::format("{}: sentences[{}]", photo.where, i)));
  }
}

}  // namespace

std::unique_ptr<Dataset> open_karpathy(const std::string&, const DataRecipe& recipe) {
  const std::string& path = recipe.annotations;
  const std::set<std::string> wanted = names_joined(recipe.split);
  std::set<std::string> present;
  std::vector<CaptionedPhoto> photos;
  const Json root = read_json(path);
  const Json& images = array_at(root, "images", path);
  for (size_t i = 0; i < images.size(); ++i) {
    CaptionedPhoto photo{.where = fmt::format("{}: images[{}]", path, i)};
    bool is_wanted = true;  // where its split cannot be told, too
    photo.read([&] {
      check(images[i].is_object(), "{}: is not an object", photo.where);
      const std::string split = words_at(images[i], "split", photo.where);
      present.insert(split);
      is_wanted = wanted.contains(split);
      if (is_wanted) read_photo(images[i], photo);
    });
    if (is_wanted) photos.push_back(std::move(photo));
  }
  for (const std::string& split : wanted) {
    check(present.contains(split), "{}: no image is of the split \"{}\"; the file's are: {}", path,
          split, fmt::join(present, ", "));
  }
  return open_photos(recipe, std::move(photos));
}

}  // namespace sightline
