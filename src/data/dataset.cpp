#include "data/dataset.h"

#include "base/error.h"
#include "data/line_file.h"
#include "data/readers.h"
#include "recipe/choices.h"

#include <filesystem>

namespace sightline {

namespace fs = std::filesystem;

std::unique_ptr<Dataset> open_dataset(const std::string& name, const DataRecipe& recipe) {
  const bool needs_folder =
      recipe.format != DataFormat::llava && recipe.format != DataFormat::jsonl &&
      recipe.format != DataFormat::text && recipe.format != DataFormat::scenes &&
      recipe.format != DataFormat::webdataset;
  check(recipe.format == DataFormat::scenes || !recipe.annotations.empty(),
        "{}: data.{} names no file `annotations`", recipe.where, name);
  check(!needs_folder || !recipe.images.empty(), "{}: data.{} names no folder `images`",
        recipe.where, name);
#define SIGHTLINE_CASE(format) \
  case DataFormat::format:     \
    return open_##format(name, recipe);
  switch (recipe.format) { SIGHTLINE_DATA_FORMATS(SIGHTLINE_CASE) }
#undef SIGHTLINE_CASE
  SL_ASSERT(false, "data format {}", static_cast<int>(recipe.format));
}

std::vector<Turn> one_exchange(int images, std::string_view words, std::string_view answer) {
  return {{.role = Role::user, .text = std::string(words), .images = images},
          {.role = Role::assistant, .text = std::string(answer)}};
}

void add_exchange(Example& example, std::string_view words, std::string_view answer) {
  const int images = static_cast<int>(example.images.size());
  example.conversations.push_back(one_exchange(images, words, trimmed(answer)));
  example.references.emplace_back(answer);
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

void check_examples(const Dataset& dataset, const DataRecipe& recipe) {
  if (recipe.on_bad_sample == OnBadSample::skip) return;
  for (size_t i = 0; i < dataset.size(); ++i) {
    const Example example = dataset.example(i);
    for (const ImageSource& image : example.images) {
      check_image_exists(recipe, image.path, example.where);
    }
  }
}

const Json& array_at(const Json& object, const char* key, const std::string& where) {
  check(object.is_object(), "{}: is not a JSON object with \"{}\"", where, key);
  check(object.contains(key), "{}: the key \"{}\" is missing", where, key);
  const Json& array = object[key];
  check(array.is_array() && !array.empty(), "{}: \"{}\" is not a list with something in it", where,
        key);
  return array;
}

std::string words_at(const Json& object, const char* key, const std::string& where) {
  auto words = json_get<std::string>(object, key, where);
  check(!trimmed(words).empty(), "{}: \"{}\" is empty", where, key);
  return words;
}

}  // namespace sightline
