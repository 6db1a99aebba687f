// Full stops that belong to the word before them.
#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

#include <algorithm>
#include <string>

namespace sightline {
namespace {

// In lower case. Each list is closed: the words were found by giving the Java program every
// string of one to four letters, and the dictionaries' longer words, with a full stop behind.

// Never end a sentence.
constexpr std::string_view kTitles[] = {
    "adj",  "adm",   "adv",  "alex",  "assoc", "asst", "atty", "ave",  "brig",  "capt", "cf",
    "cie",  "cmdr",  "col",  "comdr", "cpl",   "dept", "det",  "dr",   "drs",   "elec", "ens",
    "ft",   "gen",   "gov",  "govs",  "hon",   "insp", "invt", "jos",  "lieut", "lt",   "maj",
    "mlle", "mme",   "mr",   "mrs",   "ms",    "msgr", "mt",   "natl", "pfc",   "ph",   "pres",
    "prof", "profs", "pvt",  "rep",   "reps",  "rev",  "sen",  "sens", "sfc",   "sgt",  "spc",
    "st",   "ste",   "supt", "treas", "vs",    "wm"};

// May end one: for the Java program two characters more belong to what it looks at.
constexpr std::string_view kClosers[] = {
    "al",   "ala",  "apr",  "ariz", "assn", "aug", "bhd",  "bldg", "blvd", "bros", "calif",
    "co",   "colo", "conn", "corp", "cos",  "ct",  "dak",  "dec",  "esq",  "est",  "etc",
    "ed.d", "ext",  "feb",  "fla",  "fri",  "ga",  "inc",  "ind",  "intl", "jan",  "jr",
    "jul",  "jun",  "kan",  "kans", "ky",   "ltd", "mar",  "md",   "mich", "minn", "mo",
    "mon",  "mont", "neb",  "nev",  "nov",  "oct", "okla", "penn", "ph.d", "plc",  "rd",
    "rt",   "sep",  "sept", "seq",  "sq",   "sr",  "sys",  "tel",  "tenn", "thu",  "thurs",
    "tue",  "tues", "univ", "va",   "vt",   "wed", "wis",  "wisc", "wyo"};

// Only in lower case or with a capital letter first.
constexpr std::string_view kUncapitalisedTitles[] = {"mfg", "mtg"};
constexpr std::string_view kUncapitalised[] = {"ppte", "ppty", "pte", "ptes", "pty", "ptys"};

// Only with a capital letter first: the lower-case forms are words.
constexpr std::string_view kCapitalised[] = {"ark",  "az",  "del", "ill", "la",  "mass",
                                             "miss", "ore", "pa",  "tex", "wash"};

// Only before a number.
constexpr std::string_view kBeforeNumber[] = {"art", "ca", "fig", "figs", "no",
                                              "nos", "op", "pp",  "prop"};

// The words that, capitalised, show that a sentence begins after "... plan B." or "... in the U.S."
constexpr std::string_view kSentenceStarts[] = {
    "a",       "about", "according", "additionally", "after",   "an",    "as",   "at",    "but",
    "earlier", "he",    "her",       "here",         "however", "if",    "in",   "it",    "last",
    "many",    "more",  "now",       "once",         "one",     "other", "our",  "she",   "since",
    "so",      "some",  "such",      "that",         "the",     "their", "then", "there", "these",
    "they",    "this",  "we",        "what",         "when",    "while", "yet",  "you"};

template <size_t N>
bool holds(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// Letters and inner full stops up to the last full stop that could end an abbreviation, in lower
// case: "ph.d" of "Ph.D.". Empty when no full stop follows.
std::string word_before_stop(PtbText text) {
  constexpr size_t kLongest = 6;
  std::string word;
  for (size_t at = 0; at <= kLongest; ++at) {
    const char32_t c = peek(text, at);
    if (c == U'.') {
      const bool doctor = (word == "ph" || word == "ed") &&
                          ascii_lower(peek(text, at + 1)) == U'd' && peek(text, at + 2) == U'.';
      return doctor ? word + ".d" : word;
    }
    if (!is_ascii_letter(c)) return {};
    word.push_back(static_cast<char>(ascii_lower(c)));
  }
  return {};
}

// How far one looks from `at` to see white space, a sentence's first word and white space; 0 if
// something else stands there.
size_t sentence_start(PtbText text, size_t at) {
  if (!is_ptb_white(peek(text, at))) return 0;
  while (is_ptb_white(peek(text, at))) ++at;
  if (!(peek(text, at) >= U'A' && peek(text, at) <= U'Z')) return 0;
  std::string word;
  while (is_ascii_letter(peek(text, at)) && word.size() < 13) {
    word.push_back(static_cast<char>(ascii_lower(text[at++])));
  }
  return is_ptb_white(peek(text, at)) && holds(kSentenceStarts, word) ? at + 1 : 0;
}

// Letters with a full stop after each: "U.S."; a single one is an initial. The last full stop
// closes the sentence instead where one begins behind it.
PtbMatch match_initials(PtbText text) {
  size_t length = 0;
  while (is_ascii_letter(peek(text, length)) && peek(text, length + 1) == U'.') length += 2;
  if (length == 0) return {};
  const size_t seen = sentence_start(text, length);
  if (seen == 0) return text_match(length);
  // An acronym keeps its full stop and the sentence is given another; an initial loses it.
  return {seen, length == 2 ? size_t{1} : length};
}

}  // namespace

PtbMatch match_ptb_abbreviation(PtbText text) {
  PtbMatch best = match_initials(text);
  const std::string word = word_before_stop(text);
  if (word.empty()) return best;
  const size_t length = word.size() + 1;
  const auto capital = [&](size_t at) { return text[at] >= U'A' && text[at] <= U'Z'; };
  const bool lower_tail = word.size() < 2 || !capital(1);
  if (holds(kTitles, word) || (lower_tail && holds(kUncapitalisedTitles, word))) {
    best = longer(best, text_match(length));
  }
  if (holds(kClosers, word) || (lower_tail && holds(kUncapitalised, word)) ||
      (capital(0) && holds(kCapitalised, word))) {
    const size_t seen = length + 2 <= text.size() ? length + 2 : length;
    best = longer(best, {seen, length});
  }
  if (holds(kBeforeNumber, word)) {
    const size_t digit = length + (is_ptb_white(peek(text, length)) ? 1 : 0);
    if (is_ascii_digit(peek(text, digit))) best = longer(best, {digit + 1, length});
  }
  return best;
}

}  // namespace sightline
