// Contractions, clipped words and quotation marks. Most of them know an apostrophe in four
// spellings; where only the plain one is known (spelled_plainly), coco-caption knows no other.
#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

namespace sightline {
namespace {

constexpr char32_t kWindowsApostrophe = 0x92;
constexpr char32_t kCurlyApostrophe = 0x2019;

// The length of the apostrophe at `at`; 0 if there is none.
size_t apostrophe(PtbText text, size_t at) {
  const char32_t c = peek(text, at);
  if (c == U'\'' || c == kWindowsApostrophe || c == kCurlyApostrophe) return 1;
  constexpr PtbText kEntity = U"&apos;";
  return c == U'&' && text.substr(at, kEntity.size()) == kEntity ? kEntity.size() : 0;
}

bool is_letter(char32_t c) { return ptb_class(c) == PtbClass::kLetter; }
bool is_one_of(char32_t c, PtbText set) { return set.find(c) != PtbText::npos; }

// The length of `word` at `at`, in which ' is any apostrophe, ` only itself and letters match in
// either case; 0 if something else stands there.
size_t spelled(PtbText text, size_t at, PtbText word) {
  const size_t start = at;
  for (const char32_t c : word) {
    const size_t step = c == U'\'' ? apostrophe(text, at) : ascii_lower(peek(text, at)) == c;
    if (step == 0) return 0;
    at += step;
  }
  return at - start;
}

size_t spelled_plainly(PtbText text, size_t at, PtbText word) {
  const size_t length = spelled(text, at, word);
  return length == word.size() && text.substr(at, length).find(U'\'') != PtbText::npos ? length : 0;
}

size_t letters(PtbText text, size_t at) {
  size_t end = at;
  while (is_letter(peek(text, end))) ++end;
  return end - at;
}

// An opening quotation mark, which some write for an apostrophe.
bool is_opening_mark(char32_t c) { return c == U'`' || c == 0x91 || c == 0x2018; }

// "n`t" at `at`: the length, or 0.
size_t negation_with_opening_mark(PtbText text, size_t at) {
  return ascii_lower(peek(text, at)) == U'n' && is_opening_mark(peek(text, at + 1)) &&
                 ascii_lower(peek(text, at + 2)) == U't'
             ? 3
             : 0;
}

// "O'Neil", "ma'am", "l'": an apostrophe within a word.
PtbMatch match_inner_apostrophe(PtbText text) {
  PtbMatch best;
  const char32_t first = text[0];
  const auto mark_at = [&](size_t at) {
    return is_opening_mark(peek(text, at)) ? size_t{1} : apostrophe(text, at);
  };
  const size_t after_first = mark_at(1);
  if (after_first != 0) {
    const size_t tail = letters(text, 1 + after_first);
    if (is_one_of(first, U"nABCDEFGHJKLMNOPQRSTUVWXZo") && tail >= 2) {
      best = longer(best, text_match(1 + after_first + tail));
    }
    const bool clips = !is_opening_mark(text[1]);
    if (clips && is_one_of(first, U"lLdDjJ")) best = longer(best, text_match(1 + after_first));
    if (clips && is_one_of(first, U"yY") && tail > 0) {
      best = longer(best, {1 + after_first + 1, 1 + after_first});
    }
  }
  const size_t head = letters(text, 0);
  const size_t mark = mark_at(head);
  if (mark != 0 && head >= 2 && is_one_of(text[head - 1], U"aeiouyAEIOUY") &&
      is_one_of(peek(text, head + mark), U"aeiouABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    best = longer(best, text_match(head + mark + letters(text, head + mark)));
  }
  return best;
}

}  // namespace

size_t ptb_clitic(PtbText text, size_t at) {
  for (const PtbText word : {U"'s", U"'m", U"'d", U"'ll", U"'re", U"'ve"}) {
    const size_t length = spelled(text, at, word);
    if (length != 0) return length;
  }
  return 0;
}

PtbMatch match_ptb_apostrophe_word(PtbText text) {
  PtbMatch best = match_inner_apostrophe(text);
  for (const PtbText word : {U"c'est", U"o'o", U"cap'n", U"ol'", U"dunkin'", U"somethin'"}) {
    best = longer(best, text_match(spelled(text, 0, word)));
  }
  for (const PtbText word :
       {U"c'mon", U"e'er", U"s'mores", U"ev'ry", U"li'l", U"nat'l", U"cont'd.", U"nor'easter"}) {
    best = longer(best, text_match(spelled_plainly(text, 0, word)));
  }
  return best;
}

PtbMatch match_ptb_contraction(PtbText text) {
  PtbMatch best;
  // "do" of "don't": letters that don't end in n, and n't behind.
  size_t head = 0;
  while (is_ascii_letter(peek(text, head)) || peek(text, head) == 0xad) ++head;
  size_t last = head >= 1 ? head - 1 : 0;
  while (last > 0 && text[last - 1] == 0xad) --last;
  if (last > 0 && ascii_lower(text[last - 1]) != U'n') {
    size_t length = spelled(text, head - 1, U"n't");
    if (length == 0) length = negation_with_opening_mark(text, head - 1);
    if (length != 0) best = {head - 1 + length, head - 1};
  }
  // "n't" itself.
  const size_t negation = spelled(text, 0, U"n't");
  best = longer(best, {negation, negation, PtbForm::kClitic});
  const size_t marked = negation_with_opening_mark(text, 0);
  best = longer(best, {marked, marked, PtbForm::kClitic});
  // "can" of "cannot" and its like, two words in one.
  struct Joined {
    PtbText word;
    size_t head;
  };
  constexpr Joined kJoined[] = {{U"cannot", 3}, {U"gonna", 3}, {U"gotta", 3},
                                {U"lemme", 3},  {U"gimme", 3}, {U"wanna", 3}};
  for (const Joined& joined : kJoined) {
    const size_t length = spelled(text, 0, joined.word);
    if (length != 0) best = longer(best, {length, joined.head});
  }
  return best;
}

PtbMatch match_ptb_apostrophe(PtbText text) {
  const size_t mark = apostrophe(text, 0);
  if (mark == 0) return {};
  PtbMatch best;
  for (const PtbText word : {U"'em", U"'till", U"'til", U"'cause", U"'n'", U"'n"}) {
    best = longer(best, text_match(spelled(text, 0, word)));
  }
  const size_t length = ptb_clitic(text, 0);
  const bool ends = length < text.size() && !is_ascii_letter(text[length]);
  if (length != 0 && ends) best = longer(best, {length + 1, length, PtbForm::kClitic});
  if (spelled_plainly(text, 0, U"'tis") != 0 || spelled_plainly(text, 0, U"'twas") != 0) {
    best = longer(best, {mark + 3, mark + 1});
  }
  if (is_ascii_digit(peek(text, mark)) && is_ascii_digit(peek(text, mark + 1))) {
    if (is_one_of(peek(text, mark), U"23456789") && text[mark + 1] == U'0' &&
        ascii_lower(peek(text, mark + 2)) == U's') {
      best = longer(best, text_match(mark + 3));
    }
    if (is_ptb_white(peek(text, mark + 2))) best = longer(best, {mark + 3, mark + 2});
  }
  if (text[0] == U'\'') {
    // An opening quotation mark is known by the letter and the character after it.
    if (is_ascii_letter(peek(text, 1)) && text.size() > 2 && !is_ptb_white(text[2])) {
      best = longer(best, {3, 1, PtbForm::kNothing});
    }
    const size_t pair = peek(text, 1) == U'\'' ? 2 : 1;
    best = longer(best, {pair, pair, PtbForm::kNothing});
  }
  best = longer(best, {length, length, PtbForm::kClitic});
  return longer(best, {mark, mark, PtbForm::kNothing});
}

}  // namespace sightline
