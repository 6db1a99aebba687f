#include "text/added_tokens.h"

#include <algorithm>

namespace sightline {

AddedTokenMatcher::AddedTokenMatcher()
    : by_first_byte_(256),
      word_at_end_(R"([\w\p{Join_Control}]\z)", "added tokens"),
      word_at_start_(R"(\A[\w\p{Join_Control}])", "added tokens"),
      space_at_end_(R"(\s+\z)", "added tokens"),
      space_at_start_(R"(\A\s+)", "added tokens") {}

void AddedTokenMatcher::add(const AddedToken& token, std::string pattern) {
  if (pattern.empty()) return;
  auto& entries = by_first_byte_[static_cast<uint8_t>(pattern.front())];
  entries.push_back({token, std::move(pattern)});
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.pattern.size() > b.pattern.size();
  });
  empty_ = false;
}

const AddedTokenMatcher::Entry* AddedTokenMatcher::match_at(std::string_view text,
                                                            size_t at) const {
  for (const Entry& entry : by_first_byte_[static_cast<uint8_t>(text[at])]) {
    if (text.substr(at).starts_with(entry.pattern)) return &entry;
  }
  return nullptr;
}

bool AddedTokenMatcher::word_beside(std::string_view text, size_t begin, size_t end,
                                    RegexScratch& scratch) const {
  return word_at_end_.find(text.substr(0, begin), 0, scratch) ||
         word_at_start_.find(text.substr(end), 0, scratch);
}

std::vector<AddedTokenMatcher::Segment> AddedTokenMatcher::split(std::string_view text,
                                                                 SpecialTokens special,
                                                                 RegexScratch& scratch) const {
  std::vector<Segment> segments;
  size_t done = 0;  // everything before is in a segment
  const auto put = [&](size_t begin, size_t end, int32_t id) {
    if (begin < end) segments.push_back({text.substr(begin, end - begin), id});
  };
  for (size_t at = 0; at < text.size() && !empty_;) {
    const Entry* entry = match_at(text, at);
    if (entry == nullptr) {
      ++at;
      continue;
    }
    // A match that is passed over still uses up its text, as in the source.
    size_t begin = at;
    size_t end = at + entry->pattern.size();
    at = end;
    const AddedToken& token = entry->token;
    if (token.special && special == SpecialTokens::as_text) continue;
    if (token.single_word && word_beside(text, begin, end, scratch)) continue;
    if (token.lstrip) {
      const auto spaces = space_at_end_.find(text.substr(done, begin - done), 0, scratch);
      if (spaces) begin = done + spaces.begin;
    }
    if (token.rstrip) end += space_at_start_.find(text.substr(end), 0, scratch).end;
    put(done, begin, -1);
    put(begin, end, token.id);
    done = at = end;
  }
  put(done, text.size(), -1);
  return segments;
}

}  // namespace sightline
