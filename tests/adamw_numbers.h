#pragma once

#include "kernels/array_kernels.h"

#include <cmath>

namespace sightline::test {

// Of a step that clips, counted from 1.
inline AdamWNumbers adamw_numbers_of_step(int step) {
  return {.gradient_scale = 0.3F,
          .rate = 0.01F,
          .decay = 0.1F,
          .beta1 = 0.9F,
          .beta2 = 0.98F,
          .epsilon = 1e-8F,
          .first_share = static_cast<float>(1 - std::pow(0.9, step)),
          .second_share = static_cast<float>(1 - std::pow(0.98, step))};
}

}  // namespace sightline::test
