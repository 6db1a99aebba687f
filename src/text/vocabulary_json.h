#pragma once
// JSON that holds a vocabulary: objects of tens of thousands of keys.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace sightline {

// Not base's Json, whose ordered objects take quadratic time for a vocabulary.
using VocabularyJson = nlohmann::json;

// An Error names `source` and the place where the text is not JSON, or the key that stands twice in
// one object.
VocabularyJson parse_without_repeats(const std::string& text, std::string_view source);

// What an object has by that name; null where it has nothing, or is no object.
const VocabularyJson& value_of(const VocabularyJson& object, const char* key);

}  // namespace sightline
