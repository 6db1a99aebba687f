// Numbers, fractions and telephone numbers.
#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

namespace sightline {
namespace {

constexpr char32_t kNoBreakSpace = 0xa0;

size_t digits(PtbText text, size_t at) {
  size_t end = at;
  while (is_ascii_digit(peek(text, end))) ++end;
  return end - at;
}

bool joins_digits(char32_t c) {
  return c == U'.' || c == U':' || c == U',' || c == 0xad || c == 0x66b || c == 0x66c;
}

// "-1,000.50", "10:30", ".5".
size_t number(PtbText text) {
  const size_t sign = text[0] == U'-' || text[0] == U'+' ? 1 : 0;
  size_t end = sign + digits(text, sign);
  while (joins_digits(peek(text, end))) {
    const size_t more = digits(text, end + 1);
    if (more == 0) break;
    end += 1 + more;
  }
  return end > sign ? end : 0;
}

bool joins_fraction(char32_t c) { return c == U'-' || c == U' ' || c == kNoBreakSpace; }

// "1/2" at `at`, at most four digits a side counted; 0 if there is none.
size_t simple_fraction(PtbText text, size_t at) {
  const size_t above = digits(text, at);
  if (above == 0 || above > 4) return 0;
  size_t bar = at + above;
  if (peek(text, bar) == U'\\' && peek(text, bar + 1) == U'/') ++bar;
  if (peek(text, bar) != U'/' && peek(text, bar) != 0x2044) return 0;
  const size_t below = digits(text, bar + 1);
  return below == 0 ? 0 : bar + 1 + (below < 4 ? below : 4) - at;
}

// "1/2", "2 1/2", "2-1/2".
size_t fraction(PtbText text) {
  const size_t whole = digits(text, 0);
  if (whole == 0 || whole > 4) return 0;
  if (joins_fraction(peek(text, whole))) {
    const size_t rest = simple_fraction(text, whole + 1);
    if (rest != 0) return whole + 1 + rest;
  }
  return simple_fraction(text, 0);
}

// The furthest end of a telephone number's last groups, three to five digits and perhaps a joint,
// from `at`: [0-9]{3,4} joint? [0-9]{3,5}. 0 if they don't stand there.
size_t last_groups(PtbText text, size_t at) {
  const size_t run = digits(text, at);
  size_t best = 0;
  for (size_t first = 3; first <= 4 && first <= run; ++first) {
    const size_t joint = first == run && joins_fraction(peek(text, at + first)) ? 1 : 0;
    const size_t last = digits(text, at + first + joint);
    if (last < 3) continue;
    const size_t end = at + first + joint + (last < 5 ? last : 5);
    if (end > best) best = end;
  }
  return best;
}

// Two to four digits and a joint at `at`: the length, or 0.
size_t leading_group(PtbText text, size_t at) {
  const size_t run = digits(text, at);
  return run >= 2 && run <= 4 && joins_fraction(peek(text, at + run)) ? run + 1 : 0;
}

// "(555) 123-4567", "+44 20 1234 5678", "555-123-4567".
size_t spaced_telephone(PtbText text) {
  size_t at = 0;
  if (text[0] == U'(') {
    const size_t area = digits(text, 1);
    if (area < 2 || area > 3 || peek(text, 1 + area) != U')') return 0;
    at = area + 2;
    const char32_t c = peek(text, at);
    const size_t spaced = c == U' ' || c == kNoBreakSpace ? last_groups(text, at + 1) : 0;
    return spaced != 0 ? spaced : last_groups(text, at);
  }
  while (at < 2 && peek(text, at) == U'+') ++at;
  const size_t first = leading_group(text, at);
  if (first == 0) return 0;
  const size_t second = leading_group(text, at + first);
  const size_t long_end = second == 0 ? 0 : last_groups(text, at + first + second);
  const size_t short_end = at == 0 || second == 0 ? last_groups(text, at + first) : 0;
  return long_end > short_end ? long_end : short_end;
}

// "555.123.4567", "+1.555.123.4567".
size_t dotted_telephone(PtbText text) {
  size_t at = 0;
  while (at < 2 && peek(text, at) == U'+') ++at;
  size_t groups[4] = {};
  size_t ends[4] = {};
  size_t count = 0;
  while (count < 4) {
    groups[count] = digits(text, at);
    ends[count] = at + (groups[count] < 5 ? groups[count] : 5);
    at += groups[count++];
    if (peek(text, at) != U'.') break;
    ++at;
  }
  for (size_t n = count; n >= 3; --n) {
    const size_t* last = groups + n - 1;
    bool fits = last[0] >= 3 && last[-1] >= 3 && last[-1] <= 4;
    for (size_t i = 0; i + 2 < n; ++i) fits = fits && groups[i] >= 2 && groups[i] <= 4;
    if (fits && (n == 4 || text[0] != U'+')) return ends[n - 1];
  }
  return 0;
}

// "12/25/2008" with either joint in either place.
size_t date(PtbText text) {
  const auto joins = [](char32_t c) { return c == U'/' || c == U'-'; };
  const size_t day = digits(text, 0);
  if (day == 0 || day > 2 || !joins(peek(text, day))) return 0;
  const size_t month = digits(text, day + 1);
  const size_t year_at = day + month + 2;
  if (month == 0 || month > 2 || !joins(peek(text, year_at - 1))) return 0;
  const size_t year = digits(text, year_at);
  return year < 2 ? 0 : year_at + (year < 4 ? year : 4);
}

}  // namespace

PtbMatch match_ptb_number(PtbText text) {
  PtbMatch best = text_match(number(text));
  best = longer(best, text_match(date(text)));
  best = longer(best, text_match(fraction(text)));
  best = longer(best, text_match(spaced_telephone(text)));
  return longer(best, text_match(dotted_telephone(text)));
}

}  // namespace sightline
