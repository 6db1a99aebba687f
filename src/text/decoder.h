#pragma once
// The decoder of a tokenizer.json: token strings back to text.
// Known: ByteLevel, Replace (of a string), ByteFallback, Fuse, Strip, and Sequences of them.

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace sightline {

class Decoder {
 public:
  Decoder() = default;
  // `config` is the file's "decoder"; another kind, or none, is an Error naming `source`.
  Decoder(const Json& config, std::string_view source);

  // Valid UTF-8: bytes that form no character become U+FFFD.
  std::string decode(std::vector<std::string> tokens) const;

 private:
  enum class Kind { byte_level, replace, byte_fallback, fuse, strip };
  struct Step {
    Kind kind;
    std::string pattern;  // replace; strip: the character to take away
    std::string content;  // replace
    size_t start = 0;     // strip: at most so many at the start of each token
    size_t stop = 0;      // strip: at most so many at its end
  };

  void add(const Json& config, std::string_view source);

  std::vector<Step> steps_;
};

}  // namespace sightline
