#include "metric/ptb_tokenizer.h"

#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

#include <algorithm>

namespace sightline {
namespace {

// Decoded, with every character that the Java program takes for a line's end made a space.
void append_line(std::u32string& text, std::string_view caption) {
  for (char32_t c : decode_utf8(caption)) {
    const bool ends_line =
        c == U'\n' || c == U'\r' || c == 0x0b || c == 0x0c || c == 0x2028 || c == 0x2029;
    text.push_back(ends_line ? U' ' : c);
  }
}

// Most of a caption: small letters between spaces. 0 where the rules are needed.
size_t plain_word_length(PtbText text) {
  size_t end = 0;
  while (peek(text, end) >= U'a' && peek(text, end) <= U'z') ++end;
  const char32_t after = peek(text, end);
  if (end == 0 || (after != U' ' && after != U'\n')) return 0;
  const bool may_split = (end == 5 || end == 6) &&
                         (text[0] == U'c' || text[0] == U'g' || text[0] == U'l' || text[0] == U'w');
  return may_split ? 0 : end;
}

// Within a token brackets are named, entities resolved, soft hyphens gone, and a space (of a
// telephone number, a fraction or a tag) no longer parts words.
std::string token_text(PtbText token, PtbForm form) {
  std::u32string text;
  for (size_t at = 0; at < token.size();) {
    const PtbText rest = token.substr(at);
    const char32_t c = rest[0];
    size_t step = 1;
    // The first rule that holds is taken; two of them may do the same.
    // NOLINTNEXTLINE(bugprone-branch-clone)
    if (form == PtbForm::kVerbatim) {
      text.push_back(c);
    } else if (c == U'(' || c == U')') {
      text += c == U'(' ? U"-lrb-" : U"-rrb-";
    } else if (c == U' ') {
      text.push_back(0xa0);
    } else if (rest.starts_with(U"&amp;")) {
      text.push_back(U'&');
      step = 5;
    } else if (form == PtbForm::kClitic && (c == 0x92 || c == 0x2019)) {
      text.push_back(U'\'');
    } else if (form == PtbForm::kClitic && (c == 0x91 || c == 0x2018)) {
      text.push_back(U'`');
    } else if (form == PtbForm::kClitic && rest.starts_with(U"&apos;")) {
      text.push_back(U'\'');
      step = 6;
    } else if (c != 0xad) {
      text.push_back(c);
    }
    at += step;
  }
  std::string result;
  append_lower(result, text);
  return result;
}

// The tokens that coco-caption removes, of those that can still occur here.
bool is_punctuation(std::string_view token) {
  static constexpr std::string_view kRemoved[] = {"''", "'", "``", "`",  ".",   "?", "!",
                                                  ",",  ":", "-",  "--", "...", ";"};
  return std::find(std::begin(kRemoved), std::end(kRemoved), token) != std::end(kRemoved);
}

void append_token(std::string& line, std::string_view token) {
  if (token.empty() || is_punctuation(token)) return;
  if (!line.empty()) line.push_back(' ');
  line += token;
}

// coco-caption trims its lines, and with them an address that ends in a no-break space.
void trim_end(std::string& line) {
  constexpr std::string_view kNoBreakSpace = "\xc2\xa0";
  while (line.ends_with(kNoBreakSpace)) line.resize(line.size() - kNoBreakSpace.size());
}

// The captions in `text`, a line each.
std::vector<std::string> tokenize_text(PtbText text) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    if (text[0] == U'\n') {
      lines.emplace_back();
      text.remove_prefix(1);
      continue;
    }
    if (text[0] == U' ') {
      text.remove_prefix(1);
      continue;
    }
    if (const size_t length = plain_word_length(text); length != 0) {
      append_token(lines.back(),
                   std::string(text.begin(), text.begin() + static_cast<long>(length)));
      text.remove_prefix(length);
      continue;
    }
    const PtbMatch match = match_ptb_token(text);
    if (match.form == PtbForm::kReplaced) {
      append_token(lines.back(), match.replacement);
    } else if (match.form != PtbForm::kNothing) {
      append_token(lines.back(), token_text(text.substr(0, match.length), match.form));
    }
    text.remove_prefix(match.length);
  }
  for (std::string& line : lines) trim_end(line);
  return lines;
}

}  // namespace

std::string ptb_tokenize(std::string_view caption) {
  std::u32string text;
  append_line(text, caption);
  return tokenize_text(text).front();
}

std::vector<std::string> ptb_tokenize_lines(std::span<const std::string> captions) {
  if (captions.empty()) return {};
  std::u32string text;
  for (size_t i = 0; i < captions.size(); ++i) {
    if (i != 0) text.push_back(U'\n');
    append_line(text, captions[i]);
  }
  return tokenize_text(text);
}

}  // namespace sightline
