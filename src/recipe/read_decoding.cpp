// [task.NAME.decoding].

#include "recipe/decoding.h"
#include "recipe/sections.h"

namespace sightline {

void read_decoding(TableReader& reader, DecodingRecipe& decoding) {
  reader.read("beams", decoding.beams, between(1, 256));
  reader.read("beam_groups", decoding.beam_groups, between(1, 256));
  reader.read("diversity", decoding.diversity, between(0, 100));
  reader.read("min_new_tokens", decoding.min_new_tokens, between(0, 1e6));
  reader.read("max_new_tokens", decoding.max_new_tokens, between(1, 1e6));
  reader.read("length_penalty", decoding.length_penalty, between(-10, 10));
  reader.read("temperature", decoding.temperature, between(0, 100));
  reader.read("top_k", decoding.top_k, between(0, 1e9));
  reader.read("top_p", decoding.top_p, {.least = 0, .most = 1, .low = NumberRange::End::open});
  reader.read("min_p", decoding.min_p, between(0, 1));
  reader.read("repetition_penalty", decoding.repetition_penalty,
              {.least = 0, .most = 100, .low = NumberRange::End::open});
  reader.read("no_repeat_ngram", decoding.no_repeat_ngram, between(0, 1e6));
  reader.read("stop", decoding.stop);
  reader.read("answers", decoding.answers, between(1, 256));
  reader.read("seed", decoding.seed, at_least(0));
  reader.read("batch", decoding.batch, between(1, 1e5));
  reader.read("weights", decoding.weights);
  if (const auto problem = problem_with(decoding)) {
    reader.wrong(problem->key, problem->message + ", in " + reader.title());
  }
  reader.finish();
}

}  // namespace sightline
