// Punctuation, brackets, currencies, entities, smileys; and the choice among all the rules.
#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

namespace sightline {
namespace {

bool is_one_of(char32_t c, PtbText set) { return set.find(c) != PtbText::npos; }

struct Spelling {
  PtbText spelled;
  std::string_view replacement;  // empty: punctuation that coco-caption removes
};

constexpr Spelling kSpellings[] = {
    {U"(", "-lrb-"},     {U")", "-rrb-"},     {U"[", "-lsb-"},     {U"]", "-rsb-"},
    {U"{", "-lcb-"},     {U"}", "-rcb-"},     {U"-LRB-", "-lrb-"}, {U"-RRB-", "-rrb-"},
    {U"-LSB-", "-lsb-"}, {U"-RSB-", "-rsb-"}, {U"-LCB-", "-lcb-"}, {U"-RCB-", "-rcb-"},
    {U"\xa2", "cents"},  {U"\xa3", "#"},      {U"\xa4", "$"},      {U"\x80", "$"},
    {U"\x20a0", "$"},    {U"\x20ac", "$"},    {U"\xbc", "1/4"},    {U"\xbd", "1/2"},
    {U"\xbe", "3/4"},    {U"\x2153", "1/3"},  {U"\x2154", "2/3"},  {U"\x85", ""},
    {U"\x2026", ""},     {U"\x96", ""},       {U"\x97", ""},       {U"\x2013", ""},
    {U"\x2014", ""},     {U"\x2015", ""},     {U"\"", ""},         {U",", ""},
    {U";", ""},          {U":", ""},          {U".", ""}};

// Entities, in any case; "" is removed, the nameless stay as they are written.
constexpr Spelling kEntities[] = {{U"&amp;", "&"}, {U"&lt;", "<"},   {U"&gt;", ">"},
                                  {U"&nbsp;", ""}, {U"&mdash;", ""}, {U"&md;", ""},
                                  {U"&ndash;", ""}};
constexpr PtbText kKeptEntities[] = {U"&quot;", U"&ht;", U"&lr;", U"&qc;",  U"&ql;",
                                     U"&qr;",   U"&tl;", U"&ur;", U"&cdq;", U"&odq;"};

bool starts_with_any_case(PtbText text, PtbText word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (ascii_lower(text[i]) != word[i]) return false;
  }
  return true;
}

PtbMatch match_entity(PtbText text) {
  if (text[0] != U'&') return {};
  if (text.substr(0, 6) == U"&quot;") return {6, 6, PtbForm::kNothing};
  for (const Spelling& entity : kEntities) {
    const size_t length = entity.spelled.size();
    const PtbForm form = entity.replacement.empty() ? PtbForm::kNothing : PtbForm::kReplaced;
    if (starts_with_any_case(text, entity.spelled))
      return {length, length, form, entity.replacement};
  }
  for (const PtbText entity : kKeptEntities) {
    if (starts_with_any_case(text, entity)) return text_match(entity.size());
  }
  size_t end = 2;
  while (peek(text, 1) == U'#' && is_ascii_digit(peek(text, end))) ++end;
  return end > 2 && peek(text, end) == U';' ? text_match(end + 1) : PtbMatch{};
}

// What quotation marks become: ` ' `` '' by this index, or -1 for anything else.
int quotation_mark(char32_t c) {
  constexpr PtbText kMarks[] = {U"`\x91\x2018\x201b\x2039", U"\x92\x2019\x203a", U"\x93\x201c\xab",
                                U"\x94\x201d\xbb"};
  for (int i = 0; i < 4; ++i) {
    if (is_one_of(c, kMarks[i]) && c != 0) return i;
  }
  return -1;
}

// One or two of them are a token; what two single ones make is removed like any quotation mark,
// other pairs stay, being no mark that coco-caption lists.
PtbMatch match_quotation_marks(PtbText text) {
  constexpr std::string_view kPairs[4][4] = {{"", "`'", "```", "`''"},
                                             {"'`", "", "'``", "'''"},
                                             {"```", "``'", "````", "``''"},
                                             {"''`", "'''", "''``", "''''"}};
  const int first = quotation_mark(text[0]);
  if (first < 0) return {};
  const int second = text.size() > 1 ? quotation_mark(text[1]) : -1;
  if (second < 0) return {1, 1, PtbForm::kNothing};
  const std::string_view pair = kPairs[first][second];
  return {2, 2, pair.empty() ? PtbForm::kNothing : PtbForm::kReplaced, pair};
}

PtbMatch match_spelling(PtbText text) {
  PtbMatch best;
  for (const Spelling& entry : kSpellings) {
    const size_t length = entry.spelled.size();
    if (text.substr(0, length) != entry.spelled) continue;
    const PtbForm form = entry.replacement.empty() ? PtbForm::kNothing : PtbForm::kReplaced;
    best = longer(best, {length, length, form, entry.replacement});
  }
  return best;
}

// Three to five full stops, with spaces between them or without.
size_t ellipsis(PtbText text) {
  size_t close = 0;
  while (close < 5 && peek(text, close) == U'.') ++close;
  size_t wide = 1;
  while (wide < 9 && peek(text, wide) == U' ' && peek(text, wide + 1) == U'.') wide += 2;
  if (text[0] != U'.') return 0;
  const size_t best = close > wide ? close : wide;
  return (close >= 3 || wide >= 5) ? best : 0;
}

size_t run_of_first(PtbText text) {
  size_t end = 1;
  while (peek(text, end) == text[0]) ++end;
  return end;
}

// Runs that make one token: dashes (five or more are a token that stays), exclamation and question
// marks, stars, underscores.
PtbMatch match_run(PtbText text) {
  const char32_t c = text[0];
  if (c == U'-') {
    const size_t length = run_of_first(text);
    return {length, length, length < 5 ? PtbForm::kNothing : PtbForm::kText};
  }
  if (c == 0xad) return {1, 1, PtbForm::kNothing};
  if (c == U'!' || c == U'?') {
    size_t end = 0;
    while (peek(text, end) == U'!' || peek(text, end) == U'?') ++end;
    return {end, end, end == 1 ? PtbForm::kNothing : PtbForm::kText};
  }
  if (is_one_of(c, U"*_#@")) return text_match(run_of_first(text));
  if (is_one_of(c, U"<>")) return text_match(peek(text, 1) == c ? 2 : 1);
  if (c == U'\\' && peek(text, 1) == U'*') return text_match(2);
  return {};
}

// "^_^", "(-_-)".
size_t eastern_smiley(PtbText text) {
  const auto eye = [&](size_t at) { return at < text.size() && is_one_of(text[at], U"-^x=~<>'"); };
  if (eye(0) && peek(text, 1) == U'_' && eye(2)) return 3;
  if (text[0] != U'(' || !eye(1)) return 0;
  const size_t mouth = peek(text, 2) == U'_' || peek(text, 2) == U'.' ? 1 : 0;
  return eye(2 + mouth) && peek(text, 3 + mouth) == U')' ? 4 + mouth : 0;
}

}  // namespace

PtbMatch match_ptb_smiley(PtbText text) {
  const size_t eastern = eastern_smiley(text);
  if (eastern != 0) return text_match(eastern);
  size_t at = peek(text, 0) == U'<' || peek(text, 0) == U'>' ? 1 : 0;
  if (is_one_of(peek(text, at), U":;=") && at < text.size()) {
    ++at;
    if (at < text.size() && is_one_of(text[at], U"-o*'")) ++at;
    const bool mouth = at < text.size() && is_one_of(text[at], U"()DPdpO\\{@|[]");
    // It ends where something other than a letter or digit follows: not at the end of all.
    if (mouth && at + 1 < text.size() && !is_ascii_alnum(text[at + 1])) return {at + 2, at + 1};
  }
  return {};
}

PtbMatch match_ptb_symbol(PtbText text) {
  PtbMatch best = match_spelling(text);
  best = longer(best, match_entity(text));
  best = longer(best, match_quotation_marks(text));
  const size_t dots = ellipsis(text);
  best = longer(best, {dots, dots, PtbForm::kNothing});
  best = longer(best, match_run(text));
  if (ptb_class(text[0]) == PtbClass::kDropped) {
    return longer(best, {1, 1, PtbForm::kNothing});
  }
  return longer(best, text_match(1));
}

PtbMatch match_ptb_token(PtbText text) {
  const char32_t first = text[0];
  const PtbClass kind = ptb_class(first);
  // (An address may begin with a character that is otherwise dropped.)
  if (kind == PtbClass::kDropped) {
    const PtbMatch dropped{1, 1, PtbForm::kNothing};
    return first < 0x80 ? dropped : longer(dropped, match_ptb_address(text));
  }
  PtbMatch best;
  if (first == U'&') best = match_ptb_word(text);
  if (kind == PtbClass::kLetter || kind == PtbClass::kMark || kind == PtbClass::kDigit ||
      first == 0xad) {
    best = match_ptb_contraction(text);
    best = longer(best, match_ptb_word(text));
    best = longer(best, match_ptb_apostrophe_word(text));
    best = longer(best, match_ptb_address(text));
    best = longer(best, match_ptb_abbreviation(text));
    best = longer(best, match_ptb_joined_word(text));
    best = longer(best, match_ptb_file_name(text));
  }
  if (is_ascii_digit(first) || is_one_of(first, U"+-.,:(\xad")) {
    best = longer(best, match_ptb_number(text));
  }
  best = longer(best, match_ptb_apostrophe(text));
  best = longer(best, match_ptb_address(text));
  best = longer(best, match_ptb_tag(text));
  best = longer(best, match_ptb_smiley(text));
  return longer(best, match_ptb_symbol(text));
}

}  // namespace sightline
