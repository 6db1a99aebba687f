#pragma once
// One example of the format jsonl, for what is not a data table: a conversation that `ask` is
// given.

#include "recipe/recipe.h"
#include "sample/example.h"

#include <string>
#include <string_view>

namespace sightline {

// `where` names the line in errors; pictures are relative to the recipe's `images`.
Example read_jsonl_line(const DataRecipe& recipe, std::string_view line, const std::string& where);

}  // namespace sightline
