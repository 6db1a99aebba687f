#include "bundle/input_form.h"

#include "base/error.h"
#include "base/json.h"
#include "bundle/hugging_face.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace sightline {

namespace {

namespace fs = std::filesystem;

InputForm form_of(ModelConfig config) {
  InputForm form{.config = std::move(config)};
  if (form.config.language) form.max_rows = form.config.language->max_position_embeddings;
  form.rows_per_image = form.config.rows_per_image();
  return form;
}

void take_words(InputForm& form, Tokenizer tokenizer, const std::string& prompt_template) {
  form.tokenizer = std::move(tokenizer);
  form.prompt_template = PromptTemplate::named(prompt_template, *form.tokenizer);
  // The rows that a tokenizer's new tokens need.
  int64_t& vocabulary = form.config.language->vocab_size;
  vocabulary = std::max<int64_t>(vocabulary, form.tokenizer->vocab_size());
}

InputForm form_of_folder(const fs::path& folder) {
  const std::string source = (folder / "sightline.json").string();
  const Json manifest = read_json(source);
  ModelConfig config;
  if (manifest.contains("connector")) {
    config.connector = connector_config_from_json(manifest["connector"], source);
  }
  if (fs::exists(folder / "vision")) config.vision = read_vision_config(folder / "vision");
  if (fs::exists(folder / "language")) config.language = read_language_config(folder / "language");
  InputForm form = form_of(std::move(config));
  if (form.config.language) {
    take_words(form, Tokenizer::load(folder / "language"),
               json_get<std::string>(manifest, "template", source));
  }
  return form;
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

InputForm input_form_of(const ModelRecipe& recipe) {
  if (!recipe.from.empty()) return form_of_folder(recipe.from);
  ModelConfig config{.connector = recipe.connector};
  if (recipe.vision) config.vision = config_of(*recipe.vision);
  if (recipe.language) config.language = config_of(*recipe.language);
  InputForm form = form_of(std::move(config));
  if (recipe.language) take_words(form, tokenizer_of(recipe), recipe.prompt_template);
  return form;
}

}  // namespace sightline
