#include "data/dataset.h"

#include "base/error.h"
#include "data/readers.h"
#include "data/scenes.h"

#include <filesystem>

namespace sightline {

namespace fs = std::filesystem;

std::unique_ptr<Dataset> open_dataset(const std::string& name, const DataRecipe& recipe) {
  const bool is_flickr = recipe.format == DataFormat::flickr;
  check(recipe.format == DataFormat::scenes || !recipe.annotations.empty(),
        "{}: data.{} names no file `annotations`", recipe.where, name);
  check(!is_flickr || !recipe.images.empty(), "{}: data.{} names no folder `images`", recipe.where,
        name);
  switch (recipe.format) {
    case DataFormat::flickr:
      return open_flickr(recipe);
    case DataFormat::coco:
    case DataFormat::karpathy:
    case DataFormat::llava:
      break;
    case DataFormat::jsonl:
      return open_jsonl(recipe);
    case DataFormat::text:
      return open_text(recipe);
    case DataFormat::scenes:
      return open_scenes(name, recipe);
  }
  SL_ASSERT(false, "data format {}", static_cast<int>(recipe.format));
}

std::vector<Turn> one_exchange(int images, std::string_view words, std::string_view answer) {
  return {{.role = Role::user, .text = std::string(words), .images = images},
          {.role = Role::assistant, .text = std::string(answer)}};
}

std::string image_path(const DataRecipe& recipe, std::string_view image) {
  return (fs::path(recipe.images) / image).string();
}

void check_image_exists(const DataRecipe& recipe, const std::string& path, std::string_view where) {
  if (recipe.on_bad_sample == OnBadSample::skip) return;
  std::error_code code;
  check(
      fs::is_regular_file(path, code),
      "{}: the picture {} does not exist: mend the line or the folder `images`, or pass over such "
      "samples with on_bad_sample = \"skip\"",
      where, path);
}

}  // namespace sightline
