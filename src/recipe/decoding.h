#pragma once
// How answers are looked for: which settings go together, and how a person reads them.

#include "recipe/recipe.h"

#include <optional>
#include <string>

namespace sightline {

// A setting that contradicts another, and what to do.
struct DecodingProblem {
  std::string key;
  std::string message;
};
std::optional<DecodingProblem> problem_with(const DecodingRecipe& decoding);

// A UsageError where there is a problem.
void check_decoding(const DecodingRecipe& decoding);

// "3 beams, length penalty 0.7, at most 20 tokens"
std::string decoding_text(const DecodingRecipe& decoding);

}  // namespace sightline
