#pragma once
// VQA accuracy (Antol et al. 2015) and the normal form of its answers, as the official evaluator of
// VQA v2 computes them (vqaEval.py of GT-Vision-Lab/VQA, under Python 3), quirks included.
//
// Of the ten answers that people gave, each is left out once: accuracy is the mean of
// min(n / 3, 1), where n of the other nine are the answer. Both sides are brought into normal form
// first, but where all ten are the same text: then nothing is, and "Yes." is wrong beside ten
// "yes".

#include <span>
#include <string>
#include <string_view>

namespace sightline {

// The normal form, in this order:
//   - line breaks and tabs are spaces; white space at both ends goes;
//   - a punctuation mark becomes a space, but nothing where the mark stands beside a space anywhere
//     in the answer, and nothing for every mark where a comma stands between digits ("1,000");
//   - full stops go that no digit follows, of these the first 32;
//   - lower case; words by white space, joined by single spaces;
//   - "zero" to "ten" become digits, "none" becomes 0; "a", "an" and "the" go;
//   - words written without their apostrophe get it: "dont" is "don't".
// Apostrophes, colons and all but ASCII's marks stay as they are. So do capitals beyond the Basic
// Multilingual Plane, of which the evaluator makes small letters.
std::string vqa_normal_form(std::string_view answer);

// `references` are the answers that people gave, at least one (asserted); nobody's own answer
// counts for it, so that fewer than four can never give 1.
double vqa_accuracy(std::string_view answer, std::span<const std::string> references);

}  // namespace sightline
