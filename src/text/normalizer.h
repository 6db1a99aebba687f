#pragma once
// The normalizer of a tokenizer.json: what is done to text before it is split into words.
// Known: null, Sequence, Prepend, Replace (of a string), NFC, NFD, NFKC, NFKD.

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// Replaces every occurrence of `pattern`; an empty pattern replaces nothing.
std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content);

class Normalizer {
 public:
  Normalizer() = default;
  // `config` is the file's "normalizer"; another kind is an Error naming `source` and the kind.
  Normalizer(const Json& config, std::string_view source);

  bool empty() const { return steps_.empty(); }
  // `text` must be valid UTF-8; so is the result.
  std::string apply(std::string_view text) const;

 private:
  enum class Kind { prepend, replace, nfc, nfd, nfkc, nfkd };
  struct Step {
    Kind kind;
    std::string pattern;  // replace
    std::string content;  // prepend, replace
  };

  void add(const Json& config, std::string_view source);
  static std::string apply(const Step& step, std::string text);

  std::vector<Step> steps_;
};

}  // namespace sightline
