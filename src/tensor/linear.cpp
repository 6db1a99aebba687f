#include "tensor/linear.h"

#include "tensor/matrix_product.h"

#include <algorithm>
#include <array>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {

namespace {

using Form = ProductOutput::Form;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Of fewer rows LibTorch's products, which read a matrix once for a row, are as fast.
constexpr int64_t kFewestRows = 8;

bool is_ours(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16 && prefers_matrix_kernels();
}

const uint16_t* bf16_of(const at::Tensor& x) {
  return x.defined() ? static_cast<const uint16_t*>(x.const_data_ptr()) : nullptr;
}

// The matrices are packed or, where they are larger by this, the rows: results by columns are
// slower to write.
constexpr int64_t kFewRows = 4;

std::vector<at::Tensor> products(const at::Tensor& x_TK, at::TensorList weights,
                                 at::TensorList biases, const at::Tensor& added) {
  int64_t outputs = 0;
  for (const at::Tensor& weight : weights) outputs += weight.size(0);
  const int64_t rows = x_TK.size(0);
  const std::array x{numbers_last(x_TK)};
  std::vector<at::Tensor> results;
  std::optional<PackedOperand> packed_x;
  if (outputs > kFewRows * rows && !added.defined()) packed_x.emplace(x, rows);
  for (size_t i = 0; i < weights.size(); ++i) {
    const int64_t n = weights[i].size(0);
    results.push_back(at::empty({rows, n}, x_TK.options()));
    ProductOutput y{.values = results.back().mutable_data_ptr(), .stride = n};
    y.bias = bf16_of(biases[i]);
    const std::array weight{numbers_last(weights[i])};
    if (packed_x.has_value()) {
      y.form = Form::columns_bf16;
      packed_x->multiply(weight, n, y);
      continue;
    }
    if (added.defined()) y.added = bf16_of(added), y.added_stride = added.stride(0);
    PackedOperand(weight, n).multiply(x, rows, y);
  }
  return results;
}

// The least and the most k of a piece.
template <class F>
void each_piece(int64_t k, const F& f) {
  for (int64_t begin = 0; begin < k; begin += kMostSummed) {
    f(begin, std::min(kMostSummed, k - begin));
  }
}

// In bf16 where the sum is made at once, else in fp32, which is rounded when all is in it.
ProductOutput output_of(const at::Tensor& sum, int64_t piece_begin) {
  ProductOutput y{.values = sum.mutable_data_ptr(), .stride = sum.stride(0)};
  if (sum.scalar_type() == at::kFloat) {
    y.form = piece_begin == 0 ? Form::rows_fp32 : Form::added_fp32;
  }
  return y;
}

at::Tensor empty_sum(int64_t rows, int64_t size, int64_t summed) {
  const bool at_once = summed <= kMostSummed;
  return at::empty({rows, size}, at::dtype(at_once ? at::kBFloat16 : at::kFloat));
}

// Of rows by several matrices: what all of them leave of the rows' gradient, rounded once.
at::Tensor rows_gradient(const variable_list& d_y, at::TensorList weights) {
  std::vector<MatrixPart> left, right;
  for (size_t i = 0; i < d_y.size(); ++i) {
    left.push_back(numbers_last(d_y[i]));
    right.push_back(rows_first(weights[i]));
  }
  const int64_t rows = d_y[0].size(0), inputs = weights[0].size(1);
  at::Tensor d_x_TK = at::empty({rows, inputs}, weights[0].options());
  PackedOperand(right, inputs).multiply(left, rows, output_of(d_x_TK, 0));
  return d_x_TK;
}

// Of several matrices by the same rows: those whose d_y are defined.
variable_list weight_gradients(const variable_list& d_y, const at::Tensor& x_TK) {
  const int64_t inputs = x_TK.size(1), rows = x_TK.size(0);
  variable_list sums;
  for (const at::Tensor& d : d_y) {
    sums.push_back(d.defined() ? empty_sum(d.size(1), inputs, rows) : at::Tensor());
  }
  each_piece(rows, [&](int64_t begin, int64_t k) {
    const std::array right{piece_of(rows_first(x_TK), begin, k)};
    const PackedOperand packed(right, inputs);
    for (size_t i = 0; i < d_y.size(); ++i) {
      if (!d_y[i].defined()) continue;
      const std::array left{piece_of(rows_first(d_y[i]), begin, k)};
      packed.multiply(left, d_y[i].size(1), output_of(sums[i], begin));
    }
  });
  for (at::Tensor& sum : sums) {
    if (sum.defined()) sum = sum.to(at::kBFloat16);
  }
  return sums;
}

// Inputs: x, the matrices, then the biases that are there and what is added where it is.
struct Linears : torch::autograd::Function<Linears> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x_TK,
                               at::TensorList weights, at::TensorList others,
                               std::vector<int64_t> biased, int64_t adds) {
    variable_list saved{x_TK}, biases(weights.size());
    saved.insert(saved.end(), weights.begin(), weights.end());
    context->save_for_backward(saved);
    for (size_t i = 0; i < biased.size(); ++i) biases[static_cast<size_t>(biased[i])] = others[i];
    context->saved_data["biased"] = std::move(biased);
    context->saved_data["adds"] = adds;
    return products(x_TK, weights, biases, adds > 0 ? others.back() : at::Tensor());
  }

  static variable_list backward(AutogradContext* context, variable_list d_y) {
    const variable_list saved = context->get_saved_variables();
    const at::TensorList weights = at::TensorList(saved).slice(1);
    const size_t count = weights.size();
    for (at::Tensor& d : d_y) d = d.contiguous();
    variable_list trained(count), gradients(1);
    if (context->needs_input_grad(0)) gradients[0] = rows_gradient(d_y, weights);
    for (size_t i = 0; i < count; ++i) {
      if (context->needs_input_grad(1 + i)) trained[i] = d_y[i];
    }
    for (at::Tensor& gradient : weight_gradients(trained, saved[0])) {
      gradients.push_back(std::move(gradient));
    }
    for (const int64_t i : context->saved_data["biased"].toIntVector()) {
      const bool wants = context->needs_input_grad(gradients.size());
      gradients.push_back(wants ? d_y[static_cast<size_t>(i)].sum(0) : at::Tensor());
    }
    if (context->saved_data["adds"].toInt() > 0) gradients.push_back(d_y[0]);
    gradients.resize(gradients.size() + 2);  // of what is no tensor
    return gradients;
  }
};

variable_list by_library(const at::Tensor& x, std::span<const Weight> weights) {
  variable_list results;
  for (const Weight& weight : weights) {
    results.push_back(at::linear(x, weight.matrix_NK,
                                 weight.bias_N.defined() ? std::optional(weight.bias_N)
                                                         : std::nullopt));
  }
  return results;
}

variable_list with_gradients(const at::Tensor& x_TK, const at::Tensor& added_TN,
                             at::TensorList matrices, at::TensorList biases) {
  variable_list others;
  std::vector<int64_t> biased;
  for (size_t i = 0; i < biases.size(); ++i) {
    if (!biases[i].defined()) continue;
    others.push_back(biases[i]);
    biased.push_back(static_cast<int64_t>(i));
  }
  if (added_TN.defined()) others.push_back(added_TN);
  return Linears::apply(x_TK, matrices, at::TensorList(others), biased,
                        int64_t{added_TN.defined() ? 1 : 0});
}

variable_list by_kernels(const at::Tensor& x, const at::Tensor& added,
                         std::span<const Weight> weights) {
  variable_list matrices, biases;
  for (const Weight& weight : weights) {
    matrices.push_back(weight.matrix_NK);
    biases.push_back(weight.bias_N);
  }
  const at::Tensor x_TK = x.reshape({-1, x.size(-1)}).contiguous();
  const at::Tensor added_TN =
      added.defined() ? added.reshape({x_TK.size(0), -1}).contiguous() : added;
  variable_list results = c10::GradMode::is_enabled()
                              ? with_gradients(x_TK, added_TN, matrices, biases)
                              : products(x_TK, matrices, biases, added_TN);
  for (at::Tensor& result : results) {
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = result.size(1);
    result = result.view(shape);
  }
  return results;
}

bool takes(const at::Tensor& x, std::span<const Weight> weights) {
  return is_ours(x) && x.numel() >= kFewestRows * x.size(-1) &&
         std::all_of(weights.begin(), weights.end(), [](const Weight& weight) {
           const at::Tensor& matrix = weight.matrix_NK;
           return is_ours(matrix) && matrix.stride(1) == 1 && matrix.size(0) % 2 == 0 &&
                  matrix.size(1) % 2 == 0;
         });
}

}  // namespace

std::vector<at::Tensor> linears(const at::Tensor& x, std::span<const Weight> weights) {
  return takes(x, weights) ? by_kernels(x, {}, weights) : by_library(x, weights);
}

at::Tensor linear(const at::Tensor& x, const Weight& weight) {
  return linears(x, std::span(&weight, 1)).front();
}

at::Tensor linear_added(const at::Tensor& added, const at::Tensor& x, const Weight& weight) {
  const std::span weights(&weight, 1);
  if (!takes(x, weights)) {
    const at::Tensor y = by_library(x, weights).front();
    return added.defined() ? added + y : y;
  }
  return by_kernels(x, added, weights).front();
}

at::Tensor input_gradient(const at::Tensor& d_y_TN, const at::Tensor& weight_NK) {
  const Weight weight{weight_NK, {}};
  const int64_t rows = d_y_TN.size(0), summed = d_y_TN.size(1), inputs = weight_NK.size(1);
  if (!is_ours(d_y_TN) || d_y_TN.stride(1) != 1 || !takes(d_y_TN, std::span(&weight, 1))) {
    return d_y_TN.mm(weight_NK);
  }
  const at::Tensor sum = empty_sum(rows, inputs, summed);
  each_piece(summed, [&](int64_t begin, int64_t k) {
    const std::array left{piece_of(numbers_last(d_y_TN), begin, k)};
    const std::array right{piece_of(rows_first(weight_NK), begin, k)};
    PackedOperand(right, inputs).multiply(left, rows, output_of(sum, begin));
  });
  return sum.to(at::kBFloat16);
}

void add_weight_gradient(const at::Tensor& d_y_TN, const at::Tensor& x_TK, at::Tensor& sum_NK) {
  if (!is_ours(d_y_TN) || !is_ours(x_TK) || d_y_TN.stride(1) != 1 || x_TK.stride(1) != 1 ||
      sum_NK.scalar_type() != at::kFloat) {
    sum_NK += d_y_TN.t().matmul(x_TK);
    return;
  }
  const int64_t outputs = d_y_TN.size(1), inputs = x_TK.size(1);
  each_piece(d_y_TN.size(0), [&](int64_t begin, int64_t k) {
    const std::array left{piece_of(rows_first(d_y_TN), begin, k)};
    const std::array right{piece_of(rows_first(x_TK), begin, k)};
    PackedOperand(right, inputs)
        .multiply(left, outputs,
                  {.form = Form::added_fp32, .values = sum_NK.mutable_data_ptr(),
                   .stride = sum_NK.stride(0)});
  });
}

}  // namespace sightline
