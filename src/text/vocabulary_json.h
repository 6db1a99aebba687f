#pragma once
// JSON that holds a vocabulary: objects of tens of thousands of keys.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace sightline {

// Not base's Json, whose ordered objects take quadratic time for a vocabulary.
using VocabularyJson = nlohmann::json;

// A tokenizer.json with its vocabulary apart: as an object that is sorted and searched it costs as
// much as all the rest of the reading.
struct TokenizerJson {
  VocabularyJson rest;  // "model"."vocab" is null, if it is an object
  std::vector<std::pair<std::string, VocabularyJson>> vocabulary;  // in the file's order
};

// An Error names `source` and the place where the text is not JSON, or the key that stands twice in
// one object. A token that does in the vocabulary is left to the caller.
TokenizerJson parse_tokenizer(const std::string& text, std::string_view source);

// What an object has by that name; null where it has nothing, or is no object.
const VocabularyJson& value_of(const VocabularyJson& object, const char* key);

}  // namespace sightline
