#include "generate/search.h"

#include "base/error.h"
#include "generate/beam_groups.h"
#include "generate/sampler.h"

#include <algorithm>
#include <cmath>

namespace sightline {

bool Endings::is_end(int32_t token) const {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

double length_score(double sum, int64_t length, double length_penalty) {
  return sum / std::pow(static_cast<double>(std::max<int64_t>(length, 1)), length_penalty);
}

std::unique_ptr<Search> make_search(const DecodingRecipe& decoding, const Endings& endings,
                                    uint64_t stream) {
  if (decoding.temperature > 0) return std::make_unique<Sampler>(decoding, endings, stream);
  return std::make_unique<BeamGroups>(decoding, endings);
}

void check_is_number(float log_probability) {
  check(!std::isnan(log_probability),
        "the model's output is not a number: its weights, or a picture's features, are broken");
}

}  // namespace sightline
