#include "kernels/rounded_products.h"

#include <algorithm>
#include <cmath>

namespace sightline {

void plain_round_row(std::span<const float> x_K, int8_t* numbers, float* scales) {
  const auto inputs = static_cast<int64_t>(x_K.size());
  std::fill(numbers, numbers + weight_groups(inputs) * kWeightGroup, int8_t{0});
  for (int64_t first = 0; first < inputs; first += kWeightGroup, ++scales) {
    const int64_t last = std::min(inputs, first + kWeightGroup);
    float largest = 0;
    for (int64_t k = first; k < last; ++k) {
      const float size = std::abs(x_K[static_cast<size_t>(k)]);
      if (!(size <= largest)) largest = size;
      if (!std::isfinite(size)) break;
    }
    *scales = std::isfinite(largest) ? largest / 127.0F : NAN;
    const float inverse = *scales > 0 ? 127.0F / largest : 0.0F;
    for (int64_t k = first; k < last && std::isfinite(largest); ++k) {
      numbers[k] = static_cast<int8_t>(std::nearbyint(x_K[static_cast<size_t>(k)] * inverse));
    }
  }
}

void plain_multiply_rounded(const RoundedRows& rows, const WeightMatrix& weights, float* y_TN) {
  const auto* const p = static_cast<const int8_t*>(rows.numbers);
  const auto* const q = static_cast<const int8_t*>(weights.values);
  for (int64_t t = 0; t < rows.rows; ++t) {
    for (int64_t n = 0; n < weights.outputs; ++n) {
      float sum = 0;
      for (int64_t g = 0; g < rows.groups; ++g) {
        const int64_t row = t * rows.groups + g, output = n * rows.groups + g;
        int32_t products = 0;
        for (int64_t k = 0; k < kWeightGroup; ++k) {
          products += int32_t{p[row * kWeightGroup + k]} * q[output * kWeightGroup + k];
        }
        sum =
            std::fma(static_cast<float>(products), rows.scales[row] * weights.groups[output], sum);
      }
      y_TN[t * weights.outputs + n] = sum;
    }
  }
}

}  // namespace sightline
