#include "bundle/input_form.h"

#include "base/error.h"
#include "base/json.h"
#include "batch/image_rows.h"
#include "bundle/hugging_face.h"

#include <filesystem>

namespace sightline {

namespace {

namespace fs = std::filesystem;

InputForm form_of(const std::optional<VisionConfig>& vision,
                  const std::optional<LanguageConfig>& language, const ConnectorConfig& connector) {
  InputForm form;
  if (language) form.max_rows = language->max_position_embeddings;
  if (vision && language) form.rows_per_image = rows_per_image(*vision, connector);
  return form;
}

void take_words(InputForm& form, Tokenizer tokenizer, const std::string& prompt_template) {
  form.tokenizer = std::move(tokenizer);
  form.prompt_template = PromptTemplate::named(prompt_template, *form.tokenizer);
}

InputForm form_of_folder(const fs::path& folder) {
  const std::string source = (folder / "sightline.json").string();
  const Json manifest = read_json(source);
  std::optional<VisionConfig> vision;
  std::optional<LanguageConfig> language;
  ConnectorConfig connector;
  if (manifest.contains("connector")) {
    connector = connector_config_from_json(manifest["connector"], source);
  }
  if (fs::exists(folder / "vision")) vision = read_vision_config(folder / "vision");
  if (fs::exists(folder / "language")) language = read_language_config(folder / "language");
  InputForm form = form_of(vision, language, connector);
  if (language) {
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
  std::optional<VisionConfig> vision;
  std::optional<LanguageConfig> language;
  if (recipe.vision) vision = config_of(*recipe.vision);
  if (recipe.language) language = config_of(*recipe.language);
  InputForm form = form_of(vision, language, recipe.connector);
  if (language) take_words(form, tokenizer_of(recipe), recipe.prompt_template);
  return form;
}

}  // namespace sightline
