#include "bundle/bundle.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bundle/hugging_face.h"
#include "bundle/input_form.h"
#include "recipe/parse.h"
#include "tensor/safetensors.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

ParamMap connector_params(const ModelConfig& config, const ParamMap& params) {
  ParamMap stored;
  for (const auto& [name, shape] : connector_parameters(
           config.connector, config.vision->hidden_size, config.language->hidden_size)) {
    stored.add(name.substr(std::string_view("connector.").size()), params.at(name).detach());
  }
  return stored;
}

void load_connector(const fs::path& folder, const ModelConfig& config, at::ScalarType dtype,
                    Loading loading, ParamMap& params) {
  const fs::path path = folder / "model.safetensors";
  const SafetensorsFile file(path);
  for (const auto& [name, shape] : connector_parameters(
           config.connector, config.vision->hidden_size, config.language->hidden_size)) {
    const std::string_view stored = std::string_view(name).substr(sizeof("connector.") - 1);
    at::Tensor tensor = file.load(stored, dtype, loading);
    check(tensor.sizes() == at::IntArrayRef(shape), "{}: {} has another shape than its config's",
          path.string(), name);
    params.add(name, tensor);
  }
}

// A language model's vocabulary may be larger than its tokenizer's (padding rows), never smaller:
// the rows that new special tokens need start at the mean of the old.
void grow_vocabulary(ParamMap& params, LanguageConfig& config, int64_t vocab_size) {
  if (config.vocab_size >= vocab_size) return;
  for (const char* name : {"language.model.embed_tokens.weight", "language.lm_head.weight"}) {
    if (!params.contains(name)) continue;
    const at::Tensor old = params.at(name);
    at::Tensor grown = old.new_empty({vocab_size, old.size(1)});
    grown.slice(0, 0, old.size(0)).copy_(old);
    grown.slice(0, old.size(0))
        .copy_(old.mean(at::IntArrayRef{0}, true).expand({vocab_size - old.size(0), -1}));
    params.replace(name, grown);
  }
  config.vocab_size = vocab_size;
}

Processor processor_for(const fs::path& folder, const VisionConfig& vision) {
  Processor processor;
  if (!folder.empty() && fs::exists(folder / "preprocessor_config.json")) {
    processor = processor_from_json(read_json(folder / "preprocessor_config.json"),
                                    (folder / "preprocessor_config.json").string());
    check(processor.size == vision.image_size,
          "{}: pictures of {} pixels a side, but config.json says {}",
          (folder / "preprocessor_config.json").string(), processor.size, vision.image_size);
  } else {
    processor.fit = Processor::Fit::squash;
    processor.size = static_cast<int>(vision.image_size);
    processor.mean = {0.5f, 0.5f, 0.5f};
    processor.std_dev = {0.5f, 0.5f, 0.5f};
  }
  return processor;
}

// A name that a recipe has been held to.
Processor::Fit fit_named(const std::string& name) {
  if (name == "crop") return Processor::Fit::crop;
  return name == "pad" ? Processor::Fit::pad : Processor::Fit::squash;
}

struct LanguageSource {
  LanguageConfig config;
  Tokenizer tokenizer;
};

LanguageSource language_source(const ModelRecipe& recipe) {
  const PartSource<LanguageConfig>& source = *recipe.language;
  Tokenizer tokenizer = tokenizer_of(recipe);
  LanguageConfig config = config_of(source);
  if (config.vocab_size == 0) config.vocab_size = tokenizer.vocab_size();
  if (source.folder.empty()) {
    check(
        config.vocab_size >= tokenizer.vocab_size(),
        "[model.language] vocab_size is {}, the tokenizer has {} tokens: leave it out, or make it "
        "at least that",
        config.vocab_size, tokenizer.vocab_size());
  }
  return {config, std::move(tokenizer)};
}

void add_random(ParamMap& params, const NamedShapes& shapes, double initializer_range,
                uint64_t seed, at::ScalarType dtype) {
  for (const auto& [name, shape] : shapes) {
    params.add(name, random_parameter(name, shape, seed, initializer_range).to(dtype));
  }
}

// What `make` gives; its Error, which knows no file, names `source` too.
template <class Make>
auto named_in(const std::string& source, const Make& make) {
  try {
    return make();
  } catch (const Error& error) {
    fail("{}: {}", source, error.what());
  }
}

Json read_manifest(const fs::path& folder) {
  const fs::path path = folder / "sightline.json";
  check(fs::exists(path), "{}: no sightline.json there; a Sightline model folder is meant",
        folder.string());
  const Json manifest = read_json(path);
  const int version = json_get<int>(manifest, "format_version", path.string());
  check(version == kBundleFormatVersion,
        "{}: format_version {}; this program knows version {}: use the Sightline that wrote it",
        path.string(), version, kBundleFormatVersion);
  return manifest;
}

}  // namespace

SampleEncoder Bundle::encoder() const {
  SL_ASSERT(prompt_template.has_value(), "a model without words has no encoder");
  return SampleEncoder(*prompt_template, model->config().rows_per_image());
}

Bundle make_bundle(const ModelRecipe& recipe, uint64_t seed, at::ScalarType dtype) {
  if (!recipe.from.empty()) {
    Bundle bundle = load_bundle(recipe.from, dtype);
    bundle.mask = recipe.mask;
    return bundle;
  }
  ModelConfig config;
  config.connector = recipe.connector;
  ParamMap params;
  Bundle bundle;
  bundle.mask = recipe.mask;
  if (recipe.vision) {
    const std::string& folder = recipe.vision->folder;
    config.vision = config_of(*recipe.vision);
    bundle.processor = processor_for(folder, *config.vision);
    if (!recipe.resize.empty()) {
      bundle.processor->fit = fit_named(recipe.resize);
    }
    if (folder.empty()) {
      add_random(params, vision_parameters(*config.vision), config.vision->initializer_range, seed,
                 dtype);
    } else {
      load_vision(folder, *config.vision, dtype, Loading::copy, params);
    }
  }
  if (recipe.language) {
    LanguageSource source = language_source(recipe);
    config.language = source.config;
    bundle.tokenizer = std::move(source.tokenizer);
    bundle.prompt_template = PromptTemplate::named(recipe.prompt_template, *bundle.tokenizer);
    if (config.sees()) {
      config.rows_per_image();  // an Error where the shuffle does not divide the grid
      add_random(params,
                 connector_parameters(config.connector, config.vision->hidden_size,
                                      config.language->hidden_size),
                 config.language->initializer_range, seed, dtype);
    }
    if (recipe.language->folder.empty()) {
      add_random(params, language_parameters(*config.language), config.language->initializer_range,
                 seed, dtype);
    } else {
      load_language(recipe.language->folder, *config.language, dtype, Loading::copy, params);
      grow_vocabulary(params, *config.language, bundle.tokenizer->vocab_size());
    }
  }
  bundle.model = std::make_unique<Model>(std::move(config), std::move(params));
  return bundle;
}

Bundle load_bundle(const fs::path& folder, at::ScalarType dtype, Loading loading) {
  const Json manifest = read_manifest(folder);
  const std::string source = (folder / "sightline.json").string();
  Bundle bundle;
  ModelConfig config;
  ParamMap params;
  const auto mask = json_get<std::string>(manifest, "mask", source);
  bundle.mask = named_in(source, [&] { return mask_policy_named(mask); });
  if (manifest.contains("connector")) {
    config.connector = connector_config_from_json(manifest["connector"], source);
  }
  if (fs::exists(folder / "vision")) {
    config.vision = read_vision_config(folder / "vision");
    bundle.processor = processor_for(folder / "vision", *config.vision);
    load_vision(folder / "vision", *config.vision, dtype, loading, params);
  }
  if (fs::exists(folder / "language")) {
    config.language = read_language_config(folder / "language");
    bundle.tokenizer = Tokenizer::load(folder / "language");
    const auto form = json_get<std::string>(manifest, "template", source);
    bundle.prompt_template =
        named_in(source, [&] { return PromptTemplate::named(form, *bundle.tokenizer); });
    if (config.sees()) load_connector(folder / "connector", config, dtype, loading, params);
    load_language(folder / "language", *config.language, dtype, loading, params);
  }
  check(config.vision || config.language, "{}: holds neither a vision/ nor a language/ folder",
        folder.string());
  if (fs::exists(folder / "recipe.toml")) bundle.recipe = read_file(folder / "recipe.toml");
  bundle.model = std::make_unique<Model>(std::move(config), std::move(params));
  return bundle;
}

void save_bundle(const fs::path& folder, const Bundle& bundle, const std::string& card) {
  const ModelConfig& config = bundle.model->config();
  const ParamMap& params = bundle.model->params();
  FolderWriter writer(folder);
  const fs::path& staging = writer.staging();
  Json manifest;
  manifest["format_version"] = kBundleFormatVersion;
  manifest["mask"] = name_of(bundle.mask);
  if (config.vision) {
    fs::create_directory(staging / "vision");
    save_vision(staging / "vision", *config.vision, params);
    write_json(staging / "vision/preprocessor_config.json", to_json(*bundle.processor));
  }
  if (config.language) {
    fs::create_directory(staging / "language");
    save_language(staging / "language", *config.language, params);
    bundle.tokenizer->save(staging / "language");
    manifest["template"] = bundle.prompt_template->name();
  }
  if (config.sees()) {
    manifest["connector"] = to_json(config.connector);
    manifest["rows_per_image"] = config.rows_per_image();
    fs::create_directory(staging / "connector");
    write_safetensors(staging / "connector/model.safetensors", connector_params(config, params),
                      {{"format", "pt"}});
  }
  write_json(staging / "sightline.json", manifest);
  if (!bundle.recipe.empty()) write_file(staging / "recipe.toml", bundle.recipe);
  write_file(staging / "README.md", card);
  writer.commit();
}

}  // namespace sightline
