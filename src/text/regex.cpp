#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/error.h"
#include "text/utf8.h"

#include <pcre2.h>

namespace sightline {

namespace {

// Writes \s, \S, \w and \W as the properties that Oniguruma gives them.
std::string with_unicode_classes(std::string_view pattern, std::string_view source) {
  const std::string word = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
  std::string result;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\' || i + 1 == pattern.size()) {
      if (c == '[' || c == ']') in_class = c == '[';
      result += c;
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's') {
      result += R"(\p{White_Space})";
    } else if (escaped == 'S') {
      result += R"(\P{White_Space})";
    } else if (escaped == 'w') {
      result += in_class ? word : "[" + word + "]";
    } else if (escaped == 'W') {
      check(!in_class, "{}: the pattern \"{}\" has \\W inside [...], which is not supported",
            source, pattern);
      result += "[^" + word + "]";
    } else {
      result += {'\\', escaped};
    }
  }
  return result;
}

std::string pcre_message(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

RegexScratch::RegexScratch()
    : match_data_(pcre2_match_data_create(1, nullptr),
                  [](void* data) { pcre2_match_data_free(static_cast<pcre2_match_data*>(data)); }) {
  SL_ASSERT(match_data_ != nullptr, "no memory for a match");
}

Regex::Regex(std::string_view pattern, std::string_view source) : pattern_(pattern) {
  const std::string translated = with_unicode_classes(pattern, source);
  int error = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP, &error, &place, nullptr);
  check(code != nullptr, "{}: the pattern \"{}\" cannot be used: {} (at byte {} of \"{}\")", source,
        pattern, pcre_message(error), place, translated);
  code_ = std::shared_ptr<const void>(code, [](const void* held) {
    pcre2_code_free(static_cast<pcre2_code*>(const_cast<void*>(held)));
  });
  // Without JIT (an unsupported processor) matching is slower and the same.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

Regex::Match Regex::find(std::string_view text, size_t from, RegexScratch& scratch) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  auto* data = static_cast<pcre2_match_data*>(scratch.match_data_.get());
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  while (from < text.size()) {
    int found = pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, data, nullptr);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      // The interpreter keeps its frames on the heap.
      found = pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data,
                          nullptr);
    }
    if (found == PCRE2_ERROR_NOMATCH) return {};
    check(found >= 0, "the pattern \"{}\" failed on a text of {} bytes: {}", pattern_, text.size(),
          pcre_message(found));
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data);
    if (bounds[1] > bounds[0]) return {bounds[0], bounds[1]};
    if (bounds[0] >= text.size()) return {};
    from = bounds[0] + code_point_at(text, bounds[0]).length;
  }
  return {};
}

std::string Regex::quote(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\^$.[]|()?*+{}#-").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

}  // namespace sightline
