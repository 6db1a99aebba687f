#pragma once
// One example of the format jsonl, for what is not a file of them: a conversation that `ask` is
// given, a sample in an archive.

#include "base/json.h"
#include "recipe/recipe.h"
#include "sample/example.h"

#include <string>
#include <string_view>

namespace sightline {

// `where` names the line in errors; pictures are relative to the recipe's `images`.
Example read_jsonl_line(const DataRecipe& recipe, std::string_view line, const std::string& where);

// What an object says of its picture, which it does not name; keys of no meaning here are passed
// over.
Example read_json_words(const DataRecipe& recipe, const Json& object, ImageSource picture,
                        const std::string& where);

}  // namespace sightline
