// Words, and what is joined to one word by hyphens, slashes, full stops or ampersands.
#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

namespace sightline {
namespace {

constexpr char32_t kSoftHyphen = 0xad;

bool is_hyphen(char32_t c) {
  return c == U'-' || c == U'_' || c == 0x58a || c == 0x2010 || c == 0x2011;
}

bool is_alnum(char32_t c) {
  return is_ascii_alnum(c) || (c >= 0x80 && ptb_class(c) == PtbClass::kLetter);
}

bool starts_word(char32_t c) {
  if (c < 0x80) return is_ascii_letter(c);
  return ptb_class(c) == PtbClass::kLetter || ptb_class(c) == PtbClass::kMark || c == kSoftHyphen;
}

size_t run_of(PtbText text, size_t at, bool (*belongs)(char32_t)) {
  size_t end = at;
  while (belongs(peek(text, end))) ++end;
  return end - at;
}

// "&eacute;" and its like at `at`, which count as letters: the length, or 0.
size_t letter_entity(PtbText text, size_t at) {
  if (peek(text, at) != U'&' ||
      PtbText(U"aeiou").find(ascii_lower(peek(text, at + 1))) == PtbText::npos) {
    return 0;
  }
  for (const PtbText accent : {U"acute;", U"grave;", U"uml;"}) {
    size_t matched = 0;
    while (matched < accent.size() &&
           ascii_lower(peek(text, at + 2 + matched)) == accent[matched]) {
      ++matched;
    }
    if (matched == accent.size()) return 2 + matched;
  }
  return 0;
}

// The length of the letter at `at`; 0 if there is none.
size_t letter(PtbText text, size_t at) {
  return starts_word(peek(text, at)) ? 1 : letter_entity(text, at);
}

// Letters, then letters and digits; more of the same behind a full stop, ! or ? without a space.
size_t plain_word(PtbText text) {
  size_t end = 0;
  while (letter(text, end) != 0) {
    for (size_t step = 1; step != 0; end += step) {
      step = is_ascii_digit(peek(text, end)) ? 1 : letter(text, end);
    }
    const char32_t c = peek(text, end);
    if ((c != U'.' && c != U'!' && c != U'?') || letter(text, end + 1) == 0) return end;
    ++end;
  }
  return end;
}

// One part of a hyphenated word: letters and digits, also with d', l' or o' before two of them.
size_t hyphenated_part(PtbText text, size_t at) {
  const char32_t mark = peek(text, at + 1);
  const bool elided = PtbText(U"dDoOlL").find(peek(text, at)) != PtbText::npos &&
                      PtbText(U"'\x92\x2019`\x91\x2018").find(mark) != PtbText::npos;
  if (elided) {
    const size_t tail = run_of(text, at + 2, is_alnum);
    if (tail >= 2) return tail + 2;
  }
  return run_of(text, at, is_alnum);
}

// "well-known", "x_y", "20-30".
size_t hyphenated_word(PtbText text) {
  size_t end = hyphenated_part(text, 0);
  while (end != 0 && is_hyphen(peek(text, end))) {
    const size_t part = hyphenated_part(text, end + 1);
    if (part == 0) break;
    end += 1 + part;
  }
  return end;
}

// "U.S." at `at`, two letters or more; 0 if there is none.
size_t dotted_letters(PtbText text, size_t at) {
  size_t end = at;
  while (is_ascii_letter(peek(text, end)) && peek(text, end + 1) == U'.') end += 2;
  return end - at >= 4 ? end - at : 0;
}

// "3.5-inch", "1,000-foot", "Jan.-based", "x-U.S.": the first part may hold stops and commas.
size_t measured_word(PtbText text) {
  const auto in_first = [](char32_t c) {
    return is_ascii_alnum(c) || c == U'.' || c == U',' || c == kSoftHyphen;
  };
  if (!is_ascii_alnum(text[0])) return 0;
  size_t end = run_of(text, 0, in_first);
  size_t parts = 0;
  while (peek(text, end) == U'-') {
    size_t part = dotted_letters(text, end + 1);
    if (part == 0) {
      part =
          run_of(text, end + 1, [](char32_t c) { return is_ascii_alnum(c) || c == kSoftHyphen; });
    }
    if (part == 0) break;
    end += 1 + part;
    ++parts;
  }
  return parts == 0 ? 0 : end;
}

// Letters and digits with up to two hyphenated letter parts behind: one side of a slash.
size_t slash_side(PtbText text, size_t at) {
  size_t end = at + run_of(text, at, is_ascii_alnum);
  if (end == at) return 0;
  for (int i = 0; i < 2 && peek(text, end) == U'-'; ++i) {
    const size_t part = run_of(text, end + 1, is_ascii_letter);
    if (part == 0) break;
    end += 1 + part;
  }
  return end - at;
}

// "and/or", "he/she/it": two or three sides.
size_t slashed_word(PtbText text) {
  size_t end = slash_side(text, 0);
  size_t slashes = 0;
  while (end != 0 && slashes < 2) {
    const size_t slash = peek(text, end) == U'\\' ? 1 : 0;
    if (peek(text, end + slash) != U'/') break;
    const size_t side = slash_side(text, end + slash + 1);
    if (side == 0) break;
    end += slash + 1 + side;
    ++slashes;
  }
  return slashes == 0 ? 0 : end;
}

// "AT&T", "A+B": capital letters alone.
size_t ampersand_word(PtbText text) {
  const auto capital = [](char32_t c) { return c >= U'A' && c <= U'Z'; };
  size_t end = run_of(text, 0, capital);
  size_t joints = 0;
  while (end != 0) {
    constexpr PtbText kEntity = U"&amp;";
    size_t joint = peek(text, end) == U'&' || peek(text, end) == U'+' ? 1 : 0;
    if (text.substr(end, kEntity.size()) == kEntity) joint = kEntity.size();
    const size_t part = joint == 0 ? 0 : run_of(text, end + joint, capital);
    if (part == 0) break;
    end += joint + part;
    ++joints;
  }
  return joints == 0 ? 0 : end;
}

// "C++", "C#", "F#", "US$".
size_t marked_letters(PtbText text) {
  const char32_t first = ascii_lower(text[0]);
  if (first == U'c' && peek(text, 1) == U'+' && peek(text, 2) == U'+') return 3;
  if ((first == U'c' || first == U'f') && peek(text, 1) == U'#') return 2;
  const size_t capitals = run_of(text, 0, [](char32_t c) { return c >= U'A' && c <= U'Z'; });
  return capitals != 0 && peek(text, capitals) == U'$' ? capitals + 1 : 0;
}

// A word keeps its full stop where a comma, a colon or a semicolon follows.
PtbMatch with_inner_stop(PtbText text, size_t length) {
  const char32_t after = peek(text, length + 1);
  const bool inside = after == U',' || after == U';' || after == U':' || after == 0x3001;
  if (length == 0 || peek(text, length) != U'.' || !inside) return text_match(length);
  return {length + 2, length + 1};
}

}  // namespace

PtbMatch match_ptb_word(PtbText text) {
  const size_t plain = plain_word(text);
  PtbMatch best = with_inner_stop(text, plain);
  if (plain != 0) {
    const size_t clitic = ptb_clitic(text, plain);
    if (clitic != 0) best = longer(best, {plain + clitic, plain});
  }
  return best;
}

PtbMatch match_ptb_joined_word(PtbText text) {
  PtbMatch best = with_inner_stop(text, hyphenated_word(text));
  best = longer(best, with_inner_stop(text, measured_word(text)));
  best = longer(best, text_match(slashed_word(text)));
  best = longer(best, with_inner_stop(text, ampersand_word(text)));
  return longer(best, text_match(marked_letters(text)));
}

}  // namespace sightline
