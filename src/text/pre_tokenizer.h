#pragma once
// The pre_tokenizer of a tokenizer.json: splits normalized text into the words within which BPE
// merges. Known: null (the text is one word), Sequence, Split, Digits, and ByteLevel as the last.

#include "base/json.h"
#include "text/regex.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// GPT-2's pattern (openai/gpt-2 encoder.py), which ByteLevel with use_regex applies.
inline constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// The words of one text; they point into the text or into `owned`.
struct Words {
  std::vector<std::string_view> views;
  std::deque<std::string> owned;       // words to which a space was put in front
  std::vector<std::string_view> next;  // scratch
};

class PreTokenizer {
 public:
  PreTokenizer() = default;
  // `config` is the file's "pre_tokenizer"; another kind is an Error naming `source` and the kind.
  PreTokenizer(const Json& config, std::string_view source);

  // Whether words are sequences of bytes written in GPT-2's alphabet, or of characters.
  bool byte_level() const { return byte_level_; }

  // Replaces words.views by the words of `text`, none of them empty. `text` is valid UTF-8.
  void split(std::string_view text, Words& words, RegexScratch& scratch) const;

 private:
  // What becomes of the text that a Split's pattern matches (HF's SplitDelimiterBehavior).
  enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
  struct Step {
    Behavior behavior = Behavior::isolated;
    bool inverted = false;          // what lies between the matches is the delimiter
    bool add_prefix_space = false;  // before the split
    std::optional<Regex> regex;     // none: no split
  };

  void add(const Json& config, std::string_view source);
  static Behavior behavior_named(const std::string& name, std::string_view source);
  static void split_one(const Step& step, std::string_view text, Words& words,
                        RegexScratch& scratch);

  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace sightline
