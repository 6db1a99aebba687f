#pragma once
// What numbers are summed and measured in: fp64 for fp64, fp32 for all others.

#include <c10/core/ScalarType.h>

namespace sightline {

inline at::ScalarType sum_type(at::ScalarType numbers) {
  return numbers == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace sightline
