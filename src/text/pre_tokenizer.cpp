#include "text/pre_tokenizer.h"

#include "base/error.h"
#include "text/components.h"

#include <utility>

namespace sightline {

PreTokenizer::PreTokenizer(const Json& config, std::string_view source) {
  if (!config.is_null()) add(config, source);
}

void PreTokenizer::add(const Json& config, std::string_view source) {
  check(!byte_level_, "{}: the pre_tokenizer has a part after ByteLevel, which must be the last",
        source);
  const auto type = json_get<std::string>(config, "type", source);
  if (type == "Sequence") {
    for (const Json& part : json_get<Json>(config, "pretokenizers", source)) add(part, source);
  } else if (type == "Split") {
    steps_.push_back({behavior_named(json_get<std::string>(config, "behavior", source), source),
                      json_get_or(config, "invert", false, source), false,
                      Regex(regex_pattern(config, source), source)});
  } else if (type == "Digits") {
    const bool single = json_get_or(config, "individual_digits", false, source);
    steps_.push_back(
        {Behavior::isolated, false, false, Regex(single ? "\\p{N}" : "\\p{N}+", source)});
  } else if (type == "ByteLevel") {
    byte_level_ = true;
    Step step{Behavior::isolated, false, json_get_or(config, "add_prefix_space", true, source), {}};
    if (json_get_or(config, "use_regex", true, source)) step.regex.emplace(kGpt2Pattern, source);
    steps_.push_back(std::move(step));
  } else {
    unsupported_component("pre_tokenizer", type, "Sequence, Split, Digits, ByteLevel", source);
  }
}

PreTokenizer::Behavior PreTokenizer::behavior_named(const std::string& name,
                                                    std::string_view source) {
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  fail("{}: a Split's behavior is \"{}\", which is not known", source, name);
}

// HF's NormalizedString::split: delimiters (matches, or with `inverted` what lies between them)
// alternate with the rest, then the behavior says which neighbours stick together.
void PreTokenizer::split_one(const Step& step, std::string_view text, Words& words,
                             RegexScratch& scratch) {
  auto& out = words.next;
  // Where the piece that the next one would join begins; npos: there is none.
  size_t open = std::string_view::npos;
  bool last_was_delimiter = false;
  const auto put = [&](size_t begin, size_t end, bool delimiter) {
    if (begin == end) return;
    const bool follows = open != std::string_view::npos;
    bool joins = false;
    switch (step.behavior) {
      case Behavior::removed:
      case Behavior::isolated:
        break;
      case Behavior::merged_with_previous:
        joins = follows && delimiter && !last_was_delimiter;
        break;
      case Behavior::merged_with_next:
        joins = follows && !delimiter && last_was_delimiter;
        break;
      case Behavior::contiguous:
        joins = follows && delimiter == last_was_delimiter;
        break;
    }
    last_was_delimiter = delimiter;
    if (joins) {
      out.back() = text.substr(open, end - open);
    } else if (step.behavior != Behavior::removed || !delimiter) {
      out.push_back(text.substr(begin, end - begin));
      open = begin;
    }
  };
  size_t from = 0;
  while (const auto match = step.regex->find(text, from, scratch)) {
    put(from, match.begin, step.inverted);
    put(match.begin, match.end, !step.inverted);
    from = match.end;
  }
  put(from, text.size(), step.inverted);
}

void PreTokenizer::split(std::string_view text, Words& words, RegexScratch& scratch) const {
  words.views.clear();
  words.owned.clear();
  if (!text.empty()) words.views.push_back(text);
  for (const Step& step : steps_) {
    words.next.clear();
    for (std::string_view piece : words.views) {
      if (step.add_prefix_space && piece.front() != ' ') {
        piece = words.owned.emplace_back(" " + std::string(piece));
      }
      if (step.regex) {
        split_one(step, piece, words, scratch);
      } else {
        words.next.push_back(piece);
      }
    }
    std::swap(words.views, words.next);
  }
}

}  // namespace sightline
