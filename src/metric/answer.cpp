#include "metric/answer.h"

#include "metric/ptb_characters.h"
#include "metric/tokenized_case.h"

namespace sightline {

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

}  // namespace sightline
