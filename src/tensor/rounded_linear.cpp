#include "tensor/rounded_linear.h"

#include "base/error.h"
#include "kernels/rounded_products.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace sightline {
namespace {

// Rows that a panel of weights is brought into its order for, where there are more.
constexpr int64_t kRowsOfPart = 512;
constexpr int64_t kRowsToRound = 16;  // are worth a thread

struct Rounded {
  at::Tensor numbers, scales;  // the memory of `rows`
  RoundedRows rows;
};

Rounded rounded(const RoundedKernels& kernels, const at::Tensor& x_TK) {
  const int64_t rows = x_TK.size(0), inputs = x_TK.size(1), groups = weight_groups(inputs);
  const int64_t bytes = groups * kWeightGroup * kernels.bytes_of_number;
  const Rounded made{.numbers = at::empty({rows, bytes}, at::kByte),
                     .scales = at::empty({rows, groups}, at::kFloat),
                     .rows = {}};
  auto* const numbers = made.numbers.mutable_data_ptr<uint8_t>();
  auto* const scales = made.scales.mutable_data_ptr<float>();
  const auto* const x = static_cast<const char*>(x_TK.const_data_ptr());
  const bool is_bf16 = x_TK.scalar_type() == at::kBFloat16;
  at::parallel_for(0, rows, kRowsToRound, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const char* const row = x + t * inputs * x_TK.element_size();
      if (is_bf16) {
        kernels.round_bf16(reinterpret_cast<const uint16_t*>(row), inputs, numbers + t * bytes,
                           scales + t * groups);
      } else {
        kernels.round_fp32(reinterpret_cast<const float*>(row), inputs, numbers + t * bytes,
                           scales + t * groups);
      }
    }
  });
  return {made.numbers, made.scales, {numbers, scales, rows, groups}};
}

// Rows [begin, begin + count) of them.
RoundedRows part_of(const RoundedKernels& kernels, const RoundedRows& rows, int64_t begin,
                    int64_t count) {
  const int64_t bytes = rows.groups * kWeightGroup * kernels.bytes_of_number;
  return {static_cast<const char*>(rows.numbers) + begin * bytes, rows.scales + begin * rows.groups,
          count, rows.groups};
}

// One panel of outputs of one part of the rows.
struct Piece {
  size_t matrix;
  MatrixRange outputs;
  int64_t first_row, rows;
};

std::vector<Piece> pieces_of(int64_t rows, std::span<const RoundedLinear> matrices) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < matrices.size(); ++i) {
    const int64_t outputs = matrices[i].weights_NK.outputs;
    for (int64_t n = 0; n < outputs; n += kPanelColumns) {
      for (int64_t t = 0; t < rows; t += kRowsOfPart) {
        pieces.push_back(
            {i, {n, std::min(outputs, n + kPanelColumns)}, t, std::min(kRowsOfPart, rows - t)});
      }
    }
  }
  return pieces;
}

}  // namespace

bool rounds_rows(at::Device device, at::ScalarType dtype) {
  return device.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16) &&
         preferred_matrix_kernels() != nullptr;
}

std::vector<at::Tensor> rounded_products(const at::Tensor& x,
                                         std::span<const RoundedLinear> matrices) {
  SL_ASSERT(rounds_rows(x.device(), x.scalar_type()), "rows that are not rounded here");
  const RoundedKernels& kernels = *preferred_matrix_kernels()->rounded;
  const at::Tensor x_TK = x.reshape({-1, x.size(-1)}).contiguous();
  const Rounded rows = rounded(kernels, x_TK);
  std::vector<at::Tensor> y;
  for (const RoundedLinear& matrix : matrices) {
    SL_ASSERT(matrix.weights_NK.inputs == x_TK.size(1), "rows of {} for a matrix of {}",
              x_TK.size(1), matrix.weights_NK.inputs);
    y.push_back(at::empty({x_TK.size(0), matrix.weights_NK.outputs}, x.options()));
  }
  const std::vector<Piece> pieces = pieces_of(x_TK.size(0), matrices);
  const bool is_bf16 = x.scalar_type() == at::kBFloat16;
  at::parallel_for(0, std::ssize(pieces), 1, [&](int64_t begin, int64_t end) {
    std::vector<uint32_t> panel;
    for (int64_t i = begin; i < end; ++i) {
      const auto& [number, outputs, first_row, count] = pieces[static_cast<size_t>(i)];
      const RoundedLinear& matrix = matrices[number];
      const int64_t stride = matrix.weights_NK.outputs;
      auto* const to = static_cast<char*>(y[number].mutable_data_ptr());
      const bool is_biased = is_bf16 && matrix.bias_N.defined();
      kernels.multiply(
          part_of(kernels, rows.rows, first_row, count), matrix.weights_NK, outputs, panel,
          {.form = is_bf16 ? ProductOutput::Form::rows_bf16 : ProductOutput::Form::rows_fp32,
           .values = to + first_row * stride * x.element_size(),
           .stride = stride,
           .bias =
               is_biased ? static_cast<const uint16_t*>(matrix.bias_N.const_data_ptr()) : nullptr});
    }
  });
  for (size_t i = 0; i < matrices.size(); ++i) {
    if (!is_bf16 && matrices[i].bias_N.defined()) y[i] += matrices[i].bias_N;
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = y[i].size(1);
    y[i] = y[i].view(shape);
  }
  return y;
}

}  // namespace sightline
