#include "generate/beam_groups.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

BeamGroups::BeamGroups(const DecodingRecipe& decoding, const Endings& endings)
    : num_answers_(decoding.answers) {
  SL_ASSERT(decoding.beam_groups >= 1 && decoding.beams % decoding.beam_groups == 0,
            "{} beams in {} groups", decoding.beams, decoding.beam_groups);
  DecodingRecipe group = decoding;
  group.beams = decoding.beams / decoding.beam_groups;
  for (int64_t i = 0; i < decoding.beam_groups; ++i) groups_.emplace_back(group, endings);
}

std::vector<Continuation> BeamGroups::step(std::span<const float> log_probabilities,
                                           int64_t vocab) {
  std::vector<Continuation> continuations;
  std::vector<int32_t> chosen;  // at this step, by the groups so far
  int64_t first = 0;            // row of the group's first live beam
  for (BeamSearch& group : groups_) {
    const int64_t live = group.num_live();
    if (live == 0) continue;
    for (const auto& [parent, token] :
         group.step(log_probabilities.subspan(first * vocab, live * vocab), vocab, chosen)) {
      continuations.push_back({first + parent, token});
    }
    chosen.insert(chosen.end(), group.chosen().begin(), group.chosen().end());
    if (!is_first_step_) first += live;  // at first all groups go on from the prompt
  }
  is_first_step_ = false;
  return continuations;
}

std::vector<Generated> BeamGroups::answers() const {
  std::vector<Generated> answers;
  for (const BeamSearch& group : groups_) {
    answers.insert(answers.end(), group.finished().begin(), group.finished().end());
  }
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Generated& a, const Generated& b) { return a.score > b.score; });
  if (static_cast<int64_t>(answers.size()) > num_answers_) answers.resize(num_answers_);
  return answers;
}

}  // namespace sightline
