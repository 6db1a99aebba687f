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

InputForm input_form_of(const ModelRecipe& recipe) {
  if (!recipe.from.empty()) return form_of_folder(recipe.from);
  std::optional<VisionConfig> vision;
  std::optional<LanguageConfig> language;
  if (recipe.vision) {
    const std::string& folder = recipe.vision->folder;
    vision = folder.empty() ? *recipe.vision->config : read_vision_config(folder);
  }
  if (recipe.language) {
    const std::string& folder = recipe.language->folder;
    language = folder.empty() ? *recipe.language->config : read_language_config(folder);
  }
  InputForm form = form_of(vision, language, recipe.connector);
  if (!language) return form;
  const std::string& words = recipe.tokenizer.empty() ? recipe.language->folder : recipe.tokenizer;
  take_words(form,
             Tokenizer::load(words).with_added_tokens(
                 PromptTemplate::special_tokens_of(recipe.prompt_template)),
             recipe.prompt_template);
  return form;
}

}  // namespace sightline
