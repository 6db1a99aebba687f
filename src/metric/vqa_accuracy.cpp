#include "metric/vqa_accuracy.h"

#include "base/error.h"
#include "metric/ptb_characters.h"
#include "metric/tokenized_case.h"
#include "metric/vqa_words.h"

#include <algorithm>
#include <vector>

namespace sightline {
namespace {

constexpr std::string_view kMarks = ";/[]\"{}()=+\\_-><@`,?!";

// The digit zero of each script; nine more follow it.
constexpr char32_t kZeros[] = {
    0x30,    0x660,   0x6f0,   0x7c0,   0x966,   0x9e6,   0xa66,   0xae6,   0xb66,   0xbe6,
    0xc66,   0xce6,   0xd66,   0xde6,   0xe50,   0xed0,   0xf20,   0x1040,  0x1090,  0x17e0,
    0x1810,  0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,
    0xa8d0,  0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0};

bool is_digit(char32_t c) {
  return std::ranges::any_of(kZeros, [&](char32_t zero) { return c >= zero && c < zero + 10; });
}

// Line breaks and tabs are spaces, and no white space stands at the ends: all that is done to an
// answer where everybody gave the same.
std::string trimmed(std::string_view answer) {
  std::string text(answer);
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  const auto words = split_words(text);
  if (words.empty()) return "";
  const char* const end = words.back().data() + words.back().size();
  return {words.front().data(), end};
}

bool has_comma_between_digits(std::u32string_view text) {
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == U',' && is_digit(text[i - 1]) && is_digit(text[i + 1])) return true;
  }
  return false;
}

// The first full stops go that no digit follows. The evaluator hands a flag, 32, where the number
// of replacements belongs.
std::u32string without_full_stops(std::u32string_view text) {
  constexpr int kMost = 32;
  std::u32string result;
  int gone = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool goes = text[i] == U'.' && (i + 1 == text.size() || !is_digit(text[i + 1]));
    if (goes && gone++ < kMost) continue;
    result.push_back(text[i]);
  }
  return result;
}

std::u32string without_punctuation(std::u32string_view text) {
  const bool all_go = has_comma_between_digits(text);
  std::u32string result(text);
  for (const char mark : kMarks) {
    const auto c = static_cast<char32_t>(mark);
    const bool beside_space = text.find(std::u32string{c, U' '}) != text.npos ||
                              text.find(std::u32string{U' ', c}) != text.npos;
    if (all_go || beside_space) {
      std::erase(result, c);
    } else {
      std::ranges::replace(result, c, U' ');
    }
  }
  return without_full_stops(result);
}

}  // namespace

std::string vqa_normal_form(std::string_view answer) {
  std::string lower;
  append_lower(lower, without_punctuation(decode_utf8(trimmed(answer))));
  std::string result;
  for (const std::string_view word : split_words(lower)) {
    const std::string_view rewritten = vqa_word(word);
    if (rewritten.empty()) continue;
    if (!result.empty()) result.push_back(' ');
    result += rewritten;
  }
  return result;
}

double vqa_accuracy(std::string_view answer, std::span<const std::string> references) {
  SL_ASSERT(!references.empty(), "VQA accuracy without an answer to compare with");
  std::vector<std::string> given;
  for (const std::string& each : references) given.push_back(trimmed(each));
  const bool agreed =
      std::ranges::all_of(given, [&](const auto& each) { return each == given[0]; });
  std::string own = agreed ? trimmed(answer) : vqa_normal_form(answer);
  if (!agreed) std::ranges::transform(given, given.begin(), vqa_normal_form);
  const auto same = static_cast<double>(std::ranges::count(given, own));
  double sum = 0;
  for (const std::string& left_out : given) {
    const double others = same - (left_out == own ? 1 : 0);
    sum += std::min(1.0, others / 3);
  }
  return sum / static_cast<double>(given.size());
}

}  // namespace sightline
