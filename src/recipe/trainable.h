#pragma once
// Which parameters a stage trains. A selector names a part or a range of its layers:
//   vision | vision.embeddings | vision.layers[8:] | vision.layers[2:6] | vision.norm
//   connector
//   language | language.embeddings | language.layers[:4] | language.norm | language.head
// Layer ranges are Python slices (negative counts from the end). Parameter names are those of the
// model: "vision.", "connector." or "language." and then Hugging Face's own name.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct Selector {
  std::string part;     // vision | connector | language
  std::string section;  // "" (all) | embeddings | layers | norm | head
  int64_t first = 0;    // layers only; negative counts from the end
  int64_t last = INT64_MAX;
};

// An Error says what a selector may look like.
Selector parse_selector(std::string_view text);

// Where a parameter lies in its part: section and, in "layers", the layer's number. The connector's
// have no section.
struct Location {
  std::string_view section;
  int64_t layer = 0;
};
Location location_of(std::string_view parameter_name);

class Trainable {
 public:
  Trainable(std::span<const std::string> selectors, int64_t vision_layers, int64_t language_layers);
  bool operator()(std::string_view parameter_name) const;
  // The lowest vision layer that trains: embeddings 0, layer k is k, the last norm num_layers;
  // num_layers + 1 where the vision model is frozen. What lies below is computed once and stored.
  int64_t lowest_vision_layer() const;

 private:
  std::vector<Selector> selectors_;
  int64_t vision_layers_;
  int64_t language_layers_;
};

// Why a stage that reads stored features may not have augmented data, and what to do.
std::string problem_with_augment(std::string_view data, std::string_view stage);

}  // namespace sightline
