#include "metric/answer.h"

#include "metric/ptb_characters.h"
#include "metric/tokenized_case.h"
#include "metric/vqa_accuracy.h"

#include <algorithm>

namespace sightline {
namespace {

YesNo yes_no_of(std::string_view word) {
  if (word == "yes") return YesNo::yes;
  return word == "no" ? YesNo::no : YesNo::neither;
}

}  // namespace

std::string normalize_answer(std::string_view answer) {
  std::string folded;
  for (const std::string_view word : split_words(answer)) {
    if (!folded.empty()) folded.push_back(' ');
    folded += word;
  }
  if (folded.ends_with('.')) folded.pop_back();
  if (folded.ends_with(' ')) folded.pop_back();
  std::string result;
  append_lower(result, decode_utf8(folded));
  return result;
}

bool exact_match(std::string_view answer, std::string_view reference) {
  return normalize_answer(answer) == normalize_answer(reference);
}

bool exact_match(std::string_view answer, std::span<const std::string> references) {
  return std::ranges::any_of(
      references, [&](const std::string& reference) { return exact_match(answer, reference); });
}

YesNo yes_no_said(std::string_view answer) {
  const std::string form = vqa_normal_form(answer);
  return yes_no_of(std::string_view(form).substr(0, form.find(' ')));
}

YesNo yes_no_expected(std::string_view reference) { return yes_no_of(vqa_normal_form(reference)); }

}  // namespace sightline
