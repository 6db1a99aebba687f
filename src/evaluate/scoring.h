#pragma once
// Predictions -> the numbers of src/metric.

#include "evaluate/task.h"
#include "metric/bootstrap.h"

#include <span>
#include <vector>

namespace sightline {

// captions: Bleu_1 .. Bleu_4, ROUGE_L, CIDEr and CIDEr_original over all predictions, under
// coco-caption's names; questions: the metrics of metric/answer_scores.h that say something about
// them, in their order. Each with its 95 % interval (metric/bootstrap.h, 1000 resamples of the
// examples, so that the questions of one photograph stay together); none where there is one example
// alone.
std::vector<Score> scores_of(TaskKind kind, std::span<const Prediction> predictions);

// The same scores as sums over the examples.
std::vector<SummedScore> summed_scores(TaskKind kind, std::span<const Prediction> predictions);

// Questions by their kinds, in alphabetical order; none where no question has one.
std::vector<KindScore> scores_by_kind(std::span<const Prediction> predictions);

}  // namespace sightline
