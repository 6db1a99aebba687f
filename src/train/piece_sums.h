#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>

namespace sightline {

// The sum of piece(begin, count), a double, over pieces of `size` numbers on all threads: one
// number on the CPU. Pieces are fixed, so that the sum does not depend on the threads.
template <class Piece>
at::Tensor sum_of_pieces(int64_t size, const Piece& piece) {
  constexpr int64_t kPiece = 1 << 16;
  const int64_t pieces = (size + kPiece - 1) / kPiece;
  std::vector<double> sums(static_cast<size_t>(pieces));
  at::parallel_for(0, pieces, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      sums[static_cast<size_t>(i)] = piece(i * kPiece, std::min(kPiece, size - i * kPiece));
    }
  });
  return at::full({}, std::accumulate(sums.begin(), sums.end(), 0.0), at::kDouble);
}

}  // namespace sightline
