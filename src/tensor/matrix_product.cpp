#include "tensor/matrix_product.h"

#include "base/error.h"

#include <algorithm>
#include <array>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace sightline {

namespace {

// Products of as many pairs are worth a thread.
constexpr int64_t kGrain = 1 << 18;

}  // namespace

bool prefers_matrix_kernels() {
  static const bool prefers = matrix_kernels() != nullptr && !has_tile_products();
  return prefers;
}

MatrixPart numbers_last(const at::Tensor& x_RK) {
  SL_ASSERT(x_RK.stride(1) == 1 && x_RK.size(1) % 2 == 0, "rows of {} numbers", x_RK.size(1));
  return {static_cast<const uint16_t*>(x_RK.const_data_ptr()), x_RK.stride(0),
          MatrixPart::Order::k_last, x_RK.size(1)};
}

MatrixPart rows_first(const at::Tensor& x_KR) {
  SL_ASSERT(x_KR.stride(1) == 1, "rows of {} numbers lie apart", x_KR.size(1));
  return {static_cast<const uint16_t*>(x_KR.const_data_ptr()), x_KR.stride(0),
          MatrixPart::Order::k_first, x_KR.size(0)};
}

PackedOperand::PackedOperand(MatrixOperand right, int64_t n)
    : pairs_(at::empty({packed_pairs(n, right)}, at::kInt)), n_(n), k_pairs_(pairs_of(right)) {
  auto* const packed = static_cast<uint32_t*>(pairs_.mutable_data_ptr());
  const int64_t grain = std::max<int64_t>(1, kGrain / (kPanelColumns * k_pairs_ + 1));
  at::parallel_for(0, panels_of(n), grain, [&](int64_t begin, int64_t end) {
    matrix_kernels()->pack(right, n, {begin, end}, packed);
  });
}

void PackedOperand::multiply(MatrixOperand left, int64_t m, const ProductOutput& y) const {
  SL_ASSERT(pairs_of(left) == k_pairs_, "{} pairs meet {}", pairs_of(left), k_pairs_);
  const auto* const packed = static_cast<const uint32_t*>(pairs_.const_data_ptr());
  const int64_t grain = std::max<int64_t>(1, kGrain / (kTileRows * n_ * k_pairs_ + 1));
  const int64_t tiles = (m + kTileRows - 1) / kTileRows;
  at::parallel_for(0, tiles, grain, [&](int64_t begin, int64_t end) {
    matrix_kernels()->multiply(left, {begin * kTileRows, std::min(m, end * kTileRows)}, packed, n_,
                               y);
  });
}

MatrixPart piece_of(const MatrixPart& whole, int64_t begin, int64_t k) {
  const bool last = whole.order == MatrixPart::Order::k_last;
  MatrixPart piece = whole;
  piece.values += last ? begin : begin * whole.stride;
  piece.k = k;
  return piece;
}

}  // namespace sightline
