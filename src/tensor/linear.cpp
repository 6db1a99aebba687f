#include "tensor/linear.h"

#include "kernels/matrix_kernels.h"

#include <algorithm>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {

namespace {

using Form = ProductOutput::Form;
using Order = MatrixOperand::Order;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Measured on Zen 5, shapes of SmolLM2-135M and SigLIP-B, beside the library's products: 1.2 to 1.9
// times as fast at 16 and 32 rows, 1.0 to 1.2 at 64 and 128.
constexpr int64_t kFewRows = 128;
// Products of as many pairs are worth a thread.
constexpr int64_t kGrain = 1 << 18;
// Longer sums are made piece by piece, which stay in the caches.
constexpr int64_t kMostSummed = 4096;

// --- operands ---

bool is_bf16_of_cpu(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kBFloat16; }

const uint16_t* bf16_of(const at::Tensor& x) {
  return x.defined() ? static_cast<const uint16_t*>(x.const_data_ptr()) : nullptr;
}

at::Tensor with_rows_side_by_side(const at::Tensor& x) {
  return x.stride(1) == 1 ? x : x.contiguous();
}

// Numbers are summed over in pairs.
at::Tensor with_even_rows(const at::Tensor& x) {
  return x.size(1) % 2 == 0 ? with_rows_side_by_side(x) : at::constant_pad_nd(x, {0, 1});
}

MatrixOperand summed_over_columns(const at::Tensor& x_RK) {
  return {bf16_of(x_RK), x_RK.stride(0), Order::k_last, x_RK.size(1)};
}

MatrixOperand summed_over_rows(const at::Tensor& x_KR) {
  return {bf16_of(x_KR), x_KR.stride(0), Order::k_first, x_KR.size(0)};
}

// k numbers from `begin` on, which is even.
MatrixOperand piece_of(const MatrixOperand& x, int64_t begin, int64_t k) {
  const int64_t step = x.order == Order::k_last ? 1 : x.stride;
  return {x.values + begin * step, x.stride, x.order, k};
}

// --- products, divided among the threads ---

int64_t grain_of(int64_t pairs) {
  return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, pairs));
}

at::Tensor packed(const MatrixOperand& right, int64_t n) {
  const at::Tensor pairs = at::empty({packed_pairs(n, right)}, at::kInt);
  auto* const to = static_cast<uint32_t*>(pairs.mutable_data_ptr());
  const int64_t panels = (n + kPanelColumns - 1) / kPanelColumns;
  at::parallel_for(0, panels, grain_of(kPanelColumns * right.pairs()), [&](int64_t b, int64_t e) {
    const int64_t first = b * kPanelColumns;
    MatrixOperand part = right;
    part.values += first * (right.order == Order::k_last ? right.stride : 1);
    preferred_matrix_kernels()->pack(part, std::min(n, e * kPanelColumns) - first,
                                     to + first * right.pairs());
  });
  return pairs;
}

void multiply(const MatrixOperand& left, int64_t m, const MatrixOperand& right, int64_t n,
              const ProductOutput& y) {
  const at::Tensor pairs = packed(right, n);
  const auto* const from = static_cast<const uint32_t*>(pairs.const_data_ptr());
  const int64_t tiles = (m + kTileRows - 1) / kTileRows;
  at::parallel_for(0, tiles, grain_of(kTileRows * n * right.pairs()), [&](int64_t b, int64_t e) {
    preferred_matrix_kernels()->multiply(left, {b * kTileRows, std::min(m, e * kTileRows)}, from, n,
                                         y);
  });
}

// Sums over both operands' k, piece by piece, added to what is in `sum`.
void add_product(const MatrixOperand& left, int64_t m, const MatrixOperand& right, int64_t n,
                 const at::Tensor& sum_MN) {
  const ProductOutput y{
      .form = Form::added_fp32, .values = sum_MN.mutable_data_ptr(), .stride = sum_MN.stride(0)};
  for (int64_t begin = 0; begin < left.k; begin += kMostSummed) {
    const int64_t k = std::min(kMostSummed, left.k - begin);
    multiply(piece_of(left, begin, k), m, piece_of(right, begin, std::min(k, right.k - begin)), n,
             y);
  }
}

// The same, rounded once.
at::Tensor product(const MatrixOperand& left, int64_t m, const MatrixOperand& right, int64_t n) {
  if (left.k > kMostSummed) {
    const at::Tensor sum_MN = at::zeros({m, n}, at::kFloat);
    add_product(left, m, right, n, sum_MN);
    return sum_MN.to(at::kBFloat16);
  }
  const at::Tensor y_MN = at::empty({m, n}, at::kBFloat16);
  multiply(left, m, right, n, {.values = y_MN.mutable_data_ptr(), .stride = n});
  return y_MN;
}

// --- a matrix's products ---

// The matrix is the left operand, read as it lies, and the rows are packed.
at::Tensor forward_by_kernels(const at::Tensor& any_x_TK, const at::Tensor& any_matrix_NK,
                              const at::Tensor& bias_N) {
  const at::Tensor x_TK = with_even_rows(any_x_TK), matrix_NK = with_even_rows(any_matrix_NK);
  const int64_t rows = x_TK.size(0), outputs = matrix_NK.size(0);
  const at::Tensor y_TN = at::empty({rows, outputs}, x_TK.options());
  multiply(summed_over_columns(matrix_NK), outputs, summed_over_columns(x_TK), rows,
           {.form = Form::columns_bf16,
            .values = y_TN.mutable_data_ptr(),
            .stride = outputs,
            .bias = bf16_of(bias_N)});
  return y_TN;
}

at::Tensor input_gradient_by_kernels(const at::Tensor& d_y_TN, const at::Tensor& matrix_NK) {
  const at::Tensor even = with_even_rows(d_y_TN), matrix = with_rows_side_by_side(matrix_NK);
  return product(summed_over_columns(even), even.size(0), summed_over_rows(matrix), matrix.size(1));
}

at::Tensor weight_gradient_by_kernels(const at::Tensor& d_y_TN, const at::Tensor& x_TK) {
  const at::Tensor d_y = with_rows_side_by_side(d_y_TN), x = with_rows_side_by_side(x_TK);
  return product(summed_over_rows(d_y), d_y.size(1), summed_over_rows(x), x.size(1));
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TK,
                            const at::Tensor& matrix_NK, const std::optional<at::Tensor>& bias_N) {
    // As LibTorch: what no gradient is asked of is not kept.
    context->save_for_backward({matrix_NK.requires_grad() ? x_TK : at::Tensor(),
                                x_TK.requires_grad() ? matrix_NK : at::Tensor()});
    context->saved_data["biased"] = bias_N.has_value();
    return forward_by_kernels(x_TK, matrix_NK, bias_N.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor d_y_TN = with_rows_side_by_side(gradients[0]);
    variable_list found(3);
    if (context->needs_input_grad(0)) found[0] = input_gradient_by_kernels(d_y_TN, saved[1]);
    if (context->needs_input_grad(1)) found[1] = weight_gradient_by_kernels(d_y_TN, saved[0]);
    const bool biased = context->saved_data["biased"].toBool();
    if (biased && context->needs_input_grad(2)) found[2] = d_y_TN.sum(0);
    return found;
  }
};

bool takes_any(const at::Tensor& a, const at::Tensor& b) {
  return multiplies_by_kernels(a.device(), a.scalar_type()) && is_bf16_of_cpu(b);
}

bool takes_few(const at::Tensor& x, const at::Tensor& matrix_NK) {
  const int64_t rows = x.numel() / x.size(-1);
  return is_bf16_of_cpu(x) && is_bf16_of_cpu(matrix_NK) && preferred_matrix_kernels() != nullptr &&
         !c10::GradMode::is_enabled() && rows > 1 && rows <= kFewRows && x.size(-1) % 2 == 0;
}

}  // namespace

bool multiplies_by_kernels(at::Device device, at::ScalarType dtype) {
  return device.is_cpu() && dtype == at::kBFloat16 && !library_multiplies_bf16() &&
         preferred_matrix_kernels() != nullptr;
}

at::Tensor linear_layer(const at::Tensor& x, const at::Tensor& matrix_NK,
                        const at::Tensor& bias_N) {
  const bool any = takes_any(x, matrix_NK);
  const auto bias = bias_N.defined() ? std::optional(bias_N) : std::nullopt;
  if (!any && !takes_few(x, matrix_NK)) return at::linear(x, matrix_NK, bias);
  const at::Tensor x_TK = x.reshape({-1, x.size(-1)});
  const at::Tensor y_TN = c10::GradMode::is_enabled() ? Linear::apply(x_TK, matrix_NK, bias)
                                                      : forward_by_kernels(x_TK, matrix_NK, bias_N);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = matrix_NK.size(0);
  return y_TN.view(shape);
}

at::Tensor input_gradient(const at::Tensor& d_y_TN, const at::Tensor& matrix_NK) {
  if (takes_any(d_y_TN, matrix_NK)) return input_gradient_by_kernels(d_y_TN, matrix_NK);
  return d_y_TN.matmul(matrix_NK);
}

void add_weight_gradient(const at::Tensor& d_y_TN, const at::Tensor& x_TK, at::Tensor& sum_NK) {
  if (!takes_any(d_y_TN, x_TK)) {
    sum_NK += d_y_TN.t().matmul(x_TK);
    return;
  }
  const at::Tensor d_y = with_rows_side_by_side(d_y_TN), x = with_rows_side_by_side(x_TK);
  add_product(summed_over_rows(d_y), d_y.size(1), summed_over_rows(x), x.size(1), sum_NK);
}

}  // namespace sightline
