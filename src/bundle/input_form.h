#pragma once
// How a recipe's model takes its input, without its weights: what counting and checking data needs.

#include "model/model.h"
#include "recipe/recipe.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

#include <cstdint>
#include <optional>

namespace sightline {

struct InputForm {
  ModelConfig config;                             // make_bundle()'s
  std::optional<Tokenizer> tokenizer;             // absent for a vision model alone
  std::optional<PromptTemplate> prompt_template;  // likewise
  int64_t rows_per_image = 0;                     // 0 for a model that does not see
  int64_t max_rows = 0;                           // longest conversation; 0: no bound
};

// The tokenizer of a recipe with a language part, the template's own tokens added. A UsageError
// where random weights come without one.
Tokenizer tokenizer_of(const ModelRecipe& recipe);

// The sizes of a recipe's model by its folders' config.json alone. `vocab_size` is then not yet
// raised to the tokenizer's, and 0 where only the tokenizer tells it.
ModelConfig model_config_of(const ModelRecipe& recipe);

// Reads configs and tokenizer of the folders that `recipe` names. The same as make_bundle()'s.
InputForm input_form_of(const ModelRecipe& recipe);

}  // namespace sightline
