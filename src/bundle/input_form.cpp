#include "bundle/input_form.h"

#include "base/error.h"
#include "base/json.h"
#include "bundle/hugging_face.h"

#include <algorithm>
#include <filesystem>

namespace sightline {

namespace {

namespace fs = std::filesystem;

fs::path manifest_of(const fs::path& folder) { return folder / "sightline.json"; }

ModelConfig config_of_folder(const fs::path& folder) {
  const std::string source = manifest_of(folder).string();
  const Json manifest = read_json(source);
  ModelConfig config;
  if (manifest.contains("connector")) {
    config.connector = connector_config_from_json(manifest["connector"], source);
  }
  if (fs::exists(folder / "vision")) config.vision = read_vision_config(folder / "vision");
  if (fs::exists(folder / "language")) config.language = read_language_config(folder / "language");
  return config;
}

// The folder's own where the recipe goes on from one.
Tokenizer words_of(const ModelRecipe& recipe) {
  return recipe.from.empty() ? tokenizer_of(recipe)
                             : Tokenizer::load(fs::path(recipe.from) / "language");
}

std::string template_of(const ModelRecipe& recipe) {
  if (recipe.from.empty()) return recipe.prompt_template;
  const std::string source = manifest_of(recipe.from).string();
  return json_get<std::string>(read_json(source), "template", source);
}

}  // namespace

Tokenizer tokenizer_of(const ModelRecipe& recipe) {
  const std::string& words = recipe.tokenizer.empty() ? recipe.language->folder : recipe.tokenizer;
  if (words.empty()) {
    fail_usage(
        "[model] language has random weights: say which tokenizer it is to use, with the "
        "key \"tokenizer\" (sightline tokenizer train makes one)");
  }
  return Tokenizer::load(words).with_added_tokens(
      PromptTemplate::special_tokens_of(recipe.prompt_template));
}

ModelConfig model_config_of(const ModelRecipe& recipe) {
  if (!recipe.from.empty()) return config_of_folder(recipe.from);
  ModelConfig config{.connector = recipe.connector};
  if (recipe.vision) config.vision = config_of(*recipe.vision);
  if (recipe.language) config.language = config_of(*recipe.language);
  return config;
}

InputForm input_form_of(const ModelRecipe& recipe) {
  InputForm form{.config = model_config_of(recipe)};
  form.rows_per_image = form.config.rows_per_image();
  if (!form.config.language) return form;
  form.max_rows = form.config.language->max_position_embeddings;
  form.tokenizer = words_of(recipe);
  form.prompt_template = PromptTemplate::named(template_of(recipe), *form.tokenizer);
  // The rows that a tokenizer's new tokens need.
  int64_t& vocabulary = form.config.language->vocab_size;
  vocabulary = std::max<int64_t>(vocabulary, form.tokenizer->vocab_size());
  return form;
}

}  // namespace sightline
