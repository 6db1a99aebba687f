#pragma once
// How the answers of one prompt are looked for, as plain numbers: log-probabilities in, the next
// tokens out. beam_groups.h looks for the likeliest, sampler.h draws.

#include "generate/stop_strings.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sightline {

// When an answer is over.
struct Endings {
  std::vector<int32_t> tokens;  // the model's end tokens
  StopStrings strings;

  bool is_end(int32_t token) const;
};

struct Generated {
  std::vector<int32_t> tokens;  // without the end token
  // The model's own, whatever rules chose: of each token, and last the end token's where one came.
  std::vector<float> token_log_probabilities;
  double log_probability = 0.0;  // their sum
  bool ended = false;            // by an end token or a stop string, and not for want of room
  double score = 0.0;            // what answers of one prompt are ranked by: see each search

  // Tokens chosen, the end token among them.
  int64_t length() const { return static_cast<int64_t>(token_log_probabilities.size()); }
};

// sum / length^length_penalty: above 0 a penalty favours long answers, below 0 short ones.
double length_score(double sum, int64_t length, double length_penalty);

// Another row of numbers is asked for: what row `parent` of the last step is of, with `token`
// behind it.
struct Continuation {
  int64_t parent = 0;
  int32_t token = 0;
};

class Search {
 public:
  virtual ~Search() = default;

  // Rows of `vocab` log-probabilities: at first one, of the prompt; then one for each continuation
  // that the last step returned. Returns the new continuations, none when the search is over. An
  // Error if the numbers are not numbers.
  virtual std::vector<Continuation> step(std::span<const float> log_probabilities,
                                         int64_t vocab) = 0;

  // At most DecodingRecipe::answers (fewer where the search found fewer), at least one, the best
  // score first; the search must be over.
  virtual std::vector<Generated> answers() const = 0;
};

// What `decoding` asks for. `stream` seeds what is drawn. Both references must outlive the search.
std::unique_ptr<Search> make_search(const DecodingRecipe& decoding, const Endings& endings,
                                    uint64_t stream);

// The same Error for every search.
void check_is_number(float log_probability);

}  // namespace sightline
