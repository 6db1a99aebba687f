// The reader of COCO's captions (captions_train2017.json and files of the same form).

#include "base/error.h"
#include "data/photos.h"
#include "data/readers.h"

#include <unordered_map>
#include <utility>

namespace sightline {

namespace {

class CocoReader {
 public:
  explicit CocoReader(std::string path) : path_(std::move(path)) {}

  std::vector<CaptionedPhoto> read() && {
    const Json root = read_json(path_);
    const Json& images = array_at(root, "images", path_);
    for (size_t i = 0; i < images.size(); ++i) add_image(images[i], i);
    const Json& annotations = array_at(root, "annotations", path_);
    for (size_t i = 0; i < annotations.size(); ++i) add_annotation(annotations[i], i);
    return std::move(photos_);
  }

 private:
  void add_image(const Json& image, size_t number) {
    CaptionedPhoto photo{.where = fmt::format("{}: images[{}]", path_, number)};
    photo.read([&] {
      check(image.is_object(), "{}: is not an object", photo.where);
      const auto id = json_get<int64_t>(image, "id", photo.where);
      const auto [first, is_new] = photo_of_id_.try_emplace(id, photos_.size());
      check(is_new, "{}: the id {} is there already, at {}", photo.where, id,
            photos_[first->second].where);
      photo.file = words_at(image, "file_name", photo.where);
    });
    photos_.push_back(std::move(photo));
  }

  // What is wrong with it is its image's problem; where it has none, that of an example of its own.
  void add_annotation(const Json& annotation, size_t number) {
    CaptionedPhoto stray{.where = fmt::format("{}: annotations[{}]", path_, number)};
    CaptionedPhoto* photo = &stray;
    stray.read([&] {
      check(annotation.is_object(), "{}: is not an object", stray.where);
      const auto id = json_get<int64_t>(annotation, "image_id", stray.where);
      const auto found = photo_of_id_.find(id);
      check(found != photo_of_id_.end(), "{}: no image has the id {}", stray.where, id);
      photo = &photos_[found->second];
    });
    if (photo == &stray) return photos_.push_back(std::move(stray));
    photo->read([&] { photo->captions.push_back(words_at(annotation, "caption", stray.where)); });
  }

  std::string path_;
  std::vector<CaptionedPhoto> photos_;
  std::unordered_map<int64_t, size_t> photo_of_id_;
};

}  // namespace

std::unique_ptr<Dataset> open_coco(const std::string&, const DataRecipe& recipe) {
  return open_photos(recipe, CocoReader(recipe.annotations).read());
}

}  // namespace sightline
