#pragma once
// Predictions -> the numbers of src/metric.

#include "evaluate/task.h"

#include <span>
#include <vector>

namespace sightline {

// Bleu_1 .. Bleu_4, ROUGE_L, CIDEr and CIDEr_original over all predictions, under coco-caption's
// names.
std::vector<Score> caption_scores(std::span<const Prediction> predictions);

// Does the answer match one of its references exactly, once both are normalised?
bool is_right_answer(const Prediction& prediction);

}  // namespace sightline
