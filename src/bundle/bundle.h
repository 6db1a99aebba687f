#pragma once
// A bundle: a model with all that is needed to use it. On disk, a model folder that stands alone:
//
//   sightline.json  format_version, mask, template, connector
//   vision/         config.json, model.safetensors, preprocessor_config.json (Hugging Face's own)
//   connector/      model.safetensors
//   language/       config.json, model.safetensors, tokenizer.json (Hugging Face's own)
//   recipe.toml     the resolved recipe of the run that made it
//   README.md       the model card: parts, data and their terms, scores
//
// It is written aside and renamed, so that a reader never meets a half-written one. A program that
// does not know a folder's format version, mask or template refuses it.

#include "image/processor.h"
#include "model/model.h"
#include "recipe/recipe.h"
#include "sample/encoder.h"
#include "tensor/safetensors.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace sightline {

inline constexpr int kBundleFormatVersion = 1;

struct Bundle {
  std::unique_ptr<Model> model;
  std::optional<Tokenizer> tokenizer;             // absent for a vision model alone
  std::optional<PromptTemplate> prompt_template;  // likewise
  std::optional<Processor> processor;             // absent for a language model alone
  MaskPolicy mask = MaskPolicy::image;
  std::string recipe;  // the recipe.toml that it was made by; may be empty

  SampleEncoder encoder() const;
};

// Builds what a recipe's [model] says: parts from their folders or from random weights by `seed`,
// or all from a Sightline folder ([model] from). Parameters have dtype `dtype`.
Bundle make_bundle(const ModelRecipe& recipe, uint64_t seed, at::ScalarType dtype);

// Mapped weights are for a model that will not train.
Bundle load_bundle(const std::filesystem::path& folder, at::ScalarType dtype,
                   Loading loading = Loading::copy);

// `card` is the text of README.md.
void save_bundle(const std::filesystem::path& folder, const Bundle& bundle,
                 const std::string& card);

}  // namespace sightline
