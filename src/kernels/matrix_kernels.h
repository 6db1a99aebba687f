#pragma once
// Products of bf16 matrices, summed in fp32 and rounded once: y[m, n] = sum over k of left[m, k]
// right[n, k], by the processor's dot products of bf16 pairs (AVX512-BF16) or, where it has none,
// as fp32 numbers that are made in registers (AVX2). For what oneDNN does not do: one thread's
// products of pieces that stay in its caches (tensor/tile_attention.h), weights read as they lie by
// few rows, and without AVX-512 any product of bf16, which LibTorch there sums a number at a time
// (tensor/linear.h). Where oneDNN has them, large products are as fast there as here.
//
// The right matrix is packed first, in panels of 48 columns n whose pairs of numbers along k lie
// side by side; the left one is read as it lies or packed by the way. Each function is the work of
// one thread; who calls divides it. A number of y is summed in the order of k, whoever computes it.
//
// Legend: M rows, N columns, K numbers that are summed over.

#include <cstdint>
#include <span>

namespace sightline {

// x[i, k], where i is m or n.
struct MatrixOperand {
  enum class Order {
    k_last,   // x[i, k] at i * stride + k; of an even number of k
    k_first,  // x[i, k] at k * stride + i
  };
  const uint16_t* values = nullptr;
  int64_t stride = 0;
  Order order = Order::k_last;
  int64_t k = 0;

  constexpr int64_t pairs() const { return (k + 1) / 2; }
};

struct MatrixRange {
  int64_t begin = 0, end = 0;
};

struct ProductOutput {
  enum class Form {
    rows_bf16,     // y[m, n] at m * stride + n
    columns_bf16,  // y[m, n] at n * stride + m
    rows_fp32,     // as rows_bf16, in fp32
    added_fp32,    // the same, added to what is there
  };
  Form form = Form::rows_bf16;
  void* values = nullptr;
  int64_t stride = 0;
  const uint16_t* bias = nullptr;  // added: of each n (rows) or of each m (columns)
};

inline constexpr int64_t kPanelColumns = 48;
inline constexpr int64_t kTileRows = 8;

// Pairs that a packed right matrix of n columns takes: its last panel is as wide as needed, in
// steps of 16.
constexpr int64_t packed_pairs(int64_t n, const MatrixOperand& right) {
  return (n + 15) / 16 * 16 * right.pairs();
}

struct RoundedKernels;

struct MatrixKernels {
  const char* name;
  // Writes a right matrix of n columns into `packed`.
  void (*pack)(const MatrixOperand& right, int64_t n, uint32_t* packed);
  // The numbers of y in these rows; the range begins at a multiple of kTileRows.
  void (*multiply)(const MatrixOperand& left, MatrixRange rows, const uint32_t* packed_right,
                   int64_t n, const ProductOutput& y);

  // A query's row of scores q k, of which it sees the first `seen` of `size`; size is a multiple of
  // 16, and scores are overwritten. weights = softmax(scale scores), zero for what is not seen.
  void (*softmax)(float* scores, int64_t seen, int64_t size, float scale, uint16_t* weights);
  // The same weights w, and the gradient of the scores: w (d_weights - sum(w d_weights)) scale.
  void (*softmax_backward)(float* scores, const float* d_weights, int64_t seen, int64_t size,
                           float scale, uint16_t* weights, uint16_t* d_scores);

  // Products of whole numbers (kernels/rounded_products.h).
  const RoundedKernels* rounded;
};

// Those that this machine can run, the fastest first.
std::span<const MatrixKernels* const> matrix_kernels();
// The first where they are faster than the library at what they are for. Null where none are, or
// where the machine multiplies whole tiles (AMX).
const MatrixKernels* preferred_matrix_kernels();
// Whether the library multiplies bf16 matrices here by more than a number at a time. Where it does
// not, all products are ours.
bool library_multiplies_bf16();

// The definition: one sum after another, of m rows and n columns.
void plain_multiply(const MatrixOperand& left, int64_t m, const MatrixOperand& right, int64_t n,
                    const ProductOutput& y);

}  // namespace sightline
