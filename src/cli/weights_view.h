#pragma once
// The tensors of a model folder as they lie in its files: shapes, number types, norms.

#include "base/json.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

// Tensors that differ in their layer's number alone.
struct TensorGroup {
  std::string name;  // with "*" for the layer's number
  std::string type;  // "F32", "BF16", ...
  std::vector<int64_t> shape;
  int64_t count = 0;
  int64_t not_finite = 0;                    // tensors that hold a number that is none
  double least_norm = 0, greatest_norm = 0;  // Euclidean, of single tensors
};

struct WeightsView {
  std::string part;  // vision, connector, language; "" of a folder that holds weights itself
  std::vector<TensorGroup> groups;
  int64_t parameters = 0, bytes = 0;
};

enum class Layers { together, apart };

// A Sightline model folder, or a Hugging Face folder. Reads every tensor. A folder without weights
// is an Error.
std::vector<WeightsView> weights_of(const std::filesystem::path& folder, Layers layers);

std::string weights_text(const std::vector<WeightsView>& parts);
Json to_json(const std::vector<WeightsView>& parts);

}  // namespace sightline
