#pragma once
// A regular expression over valid UTF-8: PCRE2 with JIT and Unicode properties. \s and \w mean what
// they do in Oniguruma, the engine of Hugging Face tokenizers: White_Space, and Alphabetic, marks,
// digits and connectors (PCRE2's own differ). The engines' Unicode versions can differ: PCRE2 10.42
// has Unicode 14.

#include <memory>
#include <string>
#include <string_view>

namespace sightline {

// What one thread needs while it matches; one scratch serves every Regex in turn.
class RegexScratch {
 public:
  RegexScratch();

 private:
  friend class Regex;
  std::unique_ptr<void, void (*)(void*)> match_data_;
};

// Immutable and thread-safe once made.
class Regex {
 public:
  // An unusable pattern is an Error naming `source`, the pattern and the place in it.
  Regex(std::string_view pattern, std::string_view source);

  struct Match {
    size_t begin = 0;
    size_t end = 0;  // 0 with begin 0: none; empty matches are passed over
    explicit operator bool() const { return end > begin; }
  };

  // The first match that starts at `from` or later. `text` must be valid UTF-8.
  Match find(std::string_view text, size_t from, RegexScratch& scratch) const;

  // `text` with every character that means something in a pattern escaped.
  static std::string quote(std::string_view text);

 private:
  std::shared_ptr<const void> code_;
  std::string pattern_;
};

}  // namespace sightline
