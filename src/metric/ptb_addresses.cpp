// Web addresses, e-mail, file names, names of the social web, and tags of HTML.
#include "metric/ptb_characters.h"
#include "metric/ptb_match.h"

#include <algorithm>
#include <string>

namespace sightline {
namespace {

bool is_one_of(char32_t c, PtbText set) { return set.find(c) != PtbText::npos; }

// Where the run of characters not in `stops` that starts at `at` ends.
size_t run_without(PtbText text, size_t at, PtbText stops) {
  return std::min(text.find_first_of(stops, at), text.size());
}

bool starts_with_lower(PtbText text, PtbText word) { return text.substr(0, word.size()) == word; }

constexpr PtbText kUrlStops = U" \t\n\f\r\"<>|(){}";
constexpr PtbText kUrlLastStops = U" \t\n\f\r\"<>|.!?(){},-";

// Characters of an address from `at`, two at least, of which the last is no punctuation: where it
// ends, or `at` if there are none.
size_t address_tail(PtbText text, size_t at) {
  size_t end = run_without(text, at, kUrlStops);
  while (end > at && is_one_of(text[end - 1], kUrlLastStops)) --end;
  // Java counts a character beyond the Basic Multilingual Plane as two.
  return end >= at + 2 || (end == at + 1 && text[at] > 0xffff) ? end : at;
}

size_t full_url(PtbText text) {
  for (const PtbText scheme : {U"http://", U"https://"}) {
    if (!starts_with_lower(text, scheme)) continue;
    const size_t end = address_tail(text, scheme.size());
    if (end > scheme.size()) return end;
  }
  return 0;
}

// The path behind a host that ends at `end`, if there is one.
size_t with_path(PtbText text, size_t end) {
  if (end == 0 || peek(text, end) != U'/') return end;
  const size_t tail = address_tail(text, end + 1);
  return tail > end + 1 ? tail : end;
}

// "www.example.org", "example.com/path": a host without a scheme.
size_t likely_url(PtbText text) {
  size_t best = 0;
  if (starts_with_lower(text, U"www.")) {
    size_t at = 4;
    while (at < text.size()) {
      const size_t end = run_without(text, at, U" \t\n\f\r\"<>|.!?(){},");
      if (end == at || peek(text, end) != U'.') break;
      at = end + 1;
      size_t letters = 0;
      while (letters < 4 && is_ascii_letter(peek(text, at + letters))) ++letters;
      if (letters >= 2) best = std::max(best, with_path(text, at + letters));
    }
  }
  // As the Java program has it, which bans , to _ within a name: capitals, digits, hyphens too.
  constexpr PtbText kNameStops =
      U" \t\n\f\r\"`'<>|.!?(){},-_$/:;=@[]^\\0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (size_t at = 0; at < text.size();) {
    const size_t end = run_without(text, at, kNameStops);
    if (end == at || peek(text, end) != U'.') break;
    at = end + 1;
    for (const PtbText top : {U"com", U"net", U"org", U"edu"}) {
      if (starts_with_lower(text.substr(at), top)) {
        best = std::max(best, with_path(text, at + top.size()));
      }
    }
  }
  return best;
}

// The length of `symbol` or of its entity at `at`; 0 if neither stands there.
size_t angle(PtbText text, size_t at, char32_t symbol, PtbText entity) {
  if (peek(text, at) == symbol) return 1;
  return at < text.size() && text.substr(at, entity.size()) == entity ? entity.size() : 0;
}

// "name@host", perhaps in < >. Almost any character may stand in either; the host has no empty
// part between full stops.
size_t email(PtbText text) {
  const size_t open = angle(text, 0, U'<', U"&lt;");
  if (!is_ascii_alnum(peek(text, open))) return 0;
  constexpr PtbText kStops = U" \t\n\f\r\"<>|(){}\xa0";
  constexpr PtbText kHostStops = U" \t\n\f\r\"<>|(){}.\xa0";
  const PtbText reach = text.substr(0, run_without(text, open, kStops));
  size_t best = 0;
  for (size_t sign = reach.find(U'@'); sign < reach.size(); sign = reach.find(U'@', sign + 1)) {
    for (size_t start = sign + 1;;) {
      const size_t end = run_without(text, start, kHostStops);
      if (end == start) break;
      best = std::max(best, end);
      if (peek(text, end) != U'.') break;
      start = end + 1;
    }
  }
  return best == 0 ? 0 : best + angle(text, best, U'>', U"&gt;");
}

constexpr PtbText kExtensions[] = {U"bat",  U"bmp",  U"c",    U"class", U"cgi", U"cpp", U"dll",
                                   U"doc",  U"docx", U"exe",  U"gif",   U"gz",  U"h",   U"htm",
                                   U"html", U"jar",  U"java", U"jpeg",  U"jpg", U"mov", U"mp3",
                                   U"pdf",  U"php",  U"pl",   U"png",   U"ppt", U"ps",  U"py",
                                   U"sql",  U"tar",  U"txt",  U"wav",   U"x",   U"xml", U"zip"};

// "@name" and "#tag".
size_t social_name(PtbText text) {
  const bool name = text[0] == U'@';
  if (!name && text[0] != U'#') return 0;
  size_t end = 1;
  if (name && !is_ascii_letter(peek(text, 1)) && peek(text, 1) != U'_') return 0;
  const auto in_name = [](char32_t c) { return is_ascii_alnum(c) || c == U'_'; };
  const auto in_tag = [](char32_t c) {
    return ptb_class(c) == PtbClass::kLetter || ptb_class(c) == PtbClass::kMark || c == 0xad;
  };
  while (name ? in_name(peek(text, end)) : in_tag(peek(text, end))) ++end;
  return end > 1 ? end : 0;
}

bool in_tag_name(char32_t c) {
  return is_ascii_alnum(c) || c == U'_' || c == U':' || c == U'.' || c == U'-';
}

size_t tag_name(PtbText text, size_t at) {
  if (!is_ascii_letter(peek(text, at))) return at;
  while (in_tag_name(peek(text, at))) ++at;
  return at;
}

size_t skip_spaces(PtbText text, size_t at) {
  while (peek(text, at) == U' ') ++at;
  return at;
}

// ="value" at `at`, spaces allowed around the sign: where it ends, or `at` if there is none.
size_t tag_value(PtbText text, size_t at) {
  size_t start = skip_spaces(text, at);
  if (peek(text, start) != U'=') return at;
  start = skip_spaces(text, start + 1);
  const char32_t quote = peek(text, start);
  if (quote != U'"' && quote != U'\'') return at;
  const size_t end = text.find_first_of(quote == U'"' ? U"\"\n\r" : U"'\n\r", start + 1);
  return end != PtbText::npos && text[end] == quote ? end + 1 : at;
}

}  // namespace

PtbMatch match_ptb_tag(PtbText text) {
  if (text[0] != U'<') return {};
  const char32_t first = peek(text, 1);
  if (first == U'!' || first == U'?') {
    if (!is_ascii_letter(peek(text, 2)) && peek(text, 2) != U'-') return {};
    const size_t end = text.find_first_of(U">\n\r", 2);
    return end != PtbText::npos && text[end] == U'>' ? text_match(end + 1) : PtbMatch{};
  }
  const bool closing = first == U'/';
  const size_t start = closing ? 2 : 1;
  size_t at = tag_name(text, start);
  if (at == start) return {};
  while (!closing) {
    const size_t name_start = skip_spaces(text, at);
    if (name_start == at) break;
    const size_t name_end = tag_name(text, name_start);
    if (name_end == name_start) break;
    at = tag_value(text, name_end);
  }
  at = skip_spaces(text, at);
  if (!closing && peek(text, at) == U'/') at = skip_spaces(text, at + 1);
  return peek(text, at) == U'>' ? text_match(at + 1) : PtbMatch{};
}

PtbMatch match_ptb_address(PtbText text) {
  const auto verbatim = [](size_t length) { return PtbMatch{length, length, PtbForm::kVerbatim}; };
  PtbMatch best = verbatim(full_url(text));
  best = longer(best, verbatim(likely_url(text)));
  best = longer(best, verbatim(email(text)));
  return longer(best, verbatim(social_name(text)));
}

// "2.jpg": only a name with a digit-led part needs this, the rest being words in any case.
PtbMatch match_ptb_file_name(PtbText text) {
  const auto belongs = [](char32_t c) {
    const PtbClass kind = ptb_class(c);
    return kind == PtbClass::kLetter || kind == PtbClass::kDigit || kind == PtbClass::kMark;
  };
  PtbMatch best;
  size_t end = 0;
  for (size_t part = 0;; ++part) {
    const size_t start = end;
    while (belongs(peek(text, end))) ++end;
    if (end == start) break;
    std::u32string name(text.substr(start, end - start));
    for (char32_t& c : name) c = ascii_lower(c);
    const char32_t after = peek(text, end);
    if (part > 0 && std::ranges::find(kExtensions, name) != std::end(kExtensions) &&
        is_one_of(after, U" \t\n\r.?!,")) {
      best = longer(best, {end + 1, end});
    }
    if (after != U'.') break;
    ++end;
  }
  return best;
}

}  // namespace sightline
