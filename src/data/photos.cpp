#include "data/photos.h"

#include "base/error.h"
#include "data/readers.h"

#include <unordered_map>
#include <utility>

namespace sightline {

namespace {

class PhotoDataset final : public Dataset {
 public:
  PhotoDataset(const DataRecipe& recipe, std::vector<CaptionedPhoto> photos)
      : recipe_(recipe), photos_(std::move(photos)) {
    find_problems();
    if (recipe.limit > 0 && static_cast<size_t>(recipe.limit) < photos_.size()) {
      photos_.resize(static_cast<size_t>(recipe.limit));
    }
    check_examples(*this, recipe_);
  }

  size_t size() const override { return photos_.size(); }

  Example example(size_t number) const override {
    const CaptionedPhoto& photo = photos_[number];
    check(photo.problem.empty(), "{}", photo.problem);
    Example example{.where = photo.where};
    example.images = {ImageSource{.path = image_path(recipe_, photo.file)}};
    for (const std::string& caption : photo.captions) {
      add_exchange(example, recipe_.prompt, caption);
    }
    return example;
  }

 private:
  void find_problems() {
    std::unordered_map<std::string_view, size_t> photo_of_file;
    for (size_t i = 0; i < photos_.size(); ++i) {
      CaptionedPhoto& photo = photos_[i];
      if (!photo.problem.empty()) continue;
      photo.read([&] {
        check(!photo.captions.empty(), "{}: {} has no caption", photo.where, photo.file);
        const auto [first, is_new] = photo_of_file.try_emplace(photo.file, i);
        check(is_new, "{}: the image {} is there already, at {}", photo.where, photo.file,
              photos_[first->second].where);
      });
    }
  }

  DataRecipe recipe_;
  std::vector<CaptionedPhoto> photos_;
};

}  // namespace

void CaptionedPhoto::read(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    if (problem.empty()) problem = error.what();
  }
}

std::unique_ptr<Dataset> open_photos(const DataRecipe& recipe, std::vector<CaptionedPhoto> photos) {
  return std::make_unique<PhotoDataset>(recipe, std::move(photos));
}

}  // namespace sightline
