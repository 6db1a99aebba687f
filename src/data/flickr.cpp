// The reader of Flickr8k's token file (Flickr30k's and others of the same form too).

#include "base/error.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sightline {

namespace {

struct CaptionLine {
  std::string_view image;    // name
  std::string_view number;   // k of "name#k"
  std::string_view caption;  // as given
};

CaptionLine parse_line(std::string_view line, const std::string& where) {
  const size_t tab = line.find('\t');
  check(tab != std::string_view::npos,
        "{}: no tab in the line \"{}\": expected \"name.jpg#k<TAB>caption\"", where,
        line.substr(0, 80));
  const std::string_view id = line.substr(0, tab);
  const size_t hash = id.rfind('#');
  check(hash != std::string_view::npos && hash > 0,
        "{}: \"{}\" is not a photograph's name and a caption's number: expected "
        "\"name.jpg#k<TAB>caption\"",
        where, id);
  const CaptionLine result{id.substr(0, hash), id.substr(hash + 1), line.substr(tab + 1)};
  check(!result.number.empty() &&
            result.number.find_first_not_of("0123456789") == std::string_view::npos,
        "{}: \"{}\" after the # is not a caption's number", where, result.number);
  check(!trimmed(result.caption).empty(), "{}: the caption of {} is empty", where, id);
  return result;
}

class FlickrDataset : public Dataset {
 public:
  explicit FlickrDataset(const DataRecipe& recipe) : recipe_(recipe), lines_(recipe.annotations) {
    read_captions();
    if (!recipe.split.empty()) keep_split();
    if (recipe.limit > 0 && static_cast<size_t>(recipe.limit) < photos_.size()) {
      photos_.resize(static_cast<size_t>(recipe.limit));
    }
    for (const Photo& photo : photos_) {
      check_image_exists(recipe_, image_path(recipe_, photo.name), lines_.where(photo.lines[0]));
    }
  }

  size_t size() const override { return photos_.size(); }

  Example example(size_t number) const override {
    const Photo& photo = photos_[number];
    Example example{.where = lines_.where(photo.lines[0])};
    example.images = {ImageSource{.path = image_path(recipe_, photo.name)}};
    for (const uint32_t line : photo.lines) {
      const std::string_view caption = parse_line(lines_.line(line), example.where).caption;
      add_exchange(example, recipe_.prompt, caption);
    }
    return example;
  }

 private:
  struct Photo {
    std::string_view name;        // in the mapped file
    std::vector<uint32_t> lines;  // its captions'
  };

  void read_captions() {
    std::unordered_map<std::string_view, size_t> photo_of_name;
    std::unordered_map<std::string_view, size_t> line_of_id;
    for (size_t i = 0; i < lines_.size(); ++i) {
      const CaptionLine parsed = parse_line(lines_.line(i), lines_.where(i));
      const std::string_view id =
          lines_.line(i).substr(0, parsed.image.size() + 1 + parsed.number.size());
      const auto [first, is_new] = line_of_id.try_emplace(id, i);
      check(is_new, "{}: the caption {} is there already, at {}", lines_.where(i), id,
            lines_.where(first->second));
      const auto [photo, is_new_photo] = photo_of_name.try_emplace(parsed.image, photos_.size());
      if (is_new_photo) photos_.push_back({parsed.image, {}});
      photos_[photo->second].lines.push_back(static_cast<uint32_t>(i));
    }
  }

  void keep_split() {
    std::unordered_map<std::string_view, size_t> photo_of_name;
    for (size_t i = 0; i < photos_.size(); ++i) photo_of_name.emplace(photos_[i].name, i);
    std::unordered_map<std::string_view, size_t> line_of_name;
    std::vector<Photo> kept;
    const LineFile split(recipe_.split);
    for (size_t i = 0; i < split.size(); ++i) {
      const std::string_view name = trimmed(split.line(i));
      const auto [first, is_new] = line_of_name.try_emplace(name, i);
      check(is_new, "{}: the photograph {} is there already, at {}", split.where(i), name,
            split.where(first->second));
      const auto photo = photo_of_name.find(name);
      check(photo != photo_of_name.end(), "{}: the photograph {} has no caption in {}",
            split.where(i), name, recipe_.annotations);
      kept.push_back(photos_[photo->second]);
    }
    photos_ = std::move(kept);
  }

  DataRecipe recipe_;
  LineFile lines_;
  std::vector<Photo> photos_;
};

}  // namespace

std::unique_ptr<Dataset> open_flickr(const std::string&, const DataRecipe& recipe) {
  return std::make_unique<FlickrDataset>(recipe);
}

}  // namespace sightline
