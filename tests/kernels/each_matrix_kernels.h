#pragma once
// What tests of the matrix kernels share: each of those that this machine can run.

#include "kernels/matrix_kernels.h"

#include <gtest/gtest.h>

namespace sightline {

// Calls a test for all kernels that this machine can run.
template <class F>
void for_each_kernels(const F& test) {
  if (matrix_kernels().empty()) GTEST_SKIP() << "this machine has neither AVX512-BF16 nor AVX2";
  for (const MatrixKernels* kernels : matrix_kernels()) {
    SCOPED_TRACE(kernels->name);
    test(*kernels);
  }
}

}  // namespace sightline
