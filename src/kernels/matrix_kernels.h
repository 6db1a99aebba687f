#pragma once
// Products of whole bf16 matrices, summed in fp32 and rounded once: y[m, n] = sum over k of
// left[m, k] right[n, k]. By the processor's own dot products of bf16 pairs (AVX512-BF16), where
// oneDNN reaches half of what they can do.
//
// The right matrix is packed first, in panels of 48 columns n whose pairs of numbers along k lie
// side by side; the left one is read as it lies, or packed by the way where its rows run along k's
// outer side. Who calls packs the smaller of the two, and divides panels and rows among threads:
// each function is the work of one. A number of y is summed in the order of k, whoever computes it.
//
// Legend: M rows, N columns, K numbers that are summed over.

#include <cstdint>
#include <span>

namespace sightline {

// x[i, k], where i is m or n. An operand is a list of parts that follow one another along k, so
// that sums over several products are rounded once too; all but the last have an even number of k.
struct MatrixPart {
  enum class Order {
    k_last,   // x[i, k] at i * stride + k; of an even number of k
    k_first,  // x[i, k] at k * stride + i; a left matrix has one such part or none
  };
  const uint16_t* values = nullptr;
  int64_t stride = 0;
  Order order = Order::k_last;
  int64_t k = 0;
};
using MatrixOperand = std::span<const MatrixPart>;

// Pairs of numbers along k.
constexpr int64_t pairs_of(MatrixOperand x) {
  int64_t pairs = 0;
  for (const MatrixPart& part : x) pairs += (part.k + 1) / 2;
  return pairs;
}

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
  const uint16_t* bias = nullptr;   // added: of each n (rows) or of each m (columns)
  const uint16_t* added = nullptr;  // of rows_bf16 alone: [M, N] numbers, `added_stride` apart
  int64_t added_stride = 0;
};

inline constexpr int64_t kPanelColumns = 48;
inline constexpr int64_t kTileRows = 8;

constexpr int64_t panels_of(int64_t n) { return (n + kPanelColumns - 1) / kPanelColumns; }
// Pairs that a packed right matrix of n columns takes: its last panel is as wide as needed, in
// steps of 16.
constexpr int64_t packed_pairs(int64_t n, MatrixOperand right) {
  return (n + 15) / 16 * 16 * pairs_of(right);
}

struct MatrixKernels {
  // Writes some panels of a right matrix of n columns where they belong in `packed`.
  void (*pack)(MatrixOperand right, int64_t n, MatrixRange panels, uint32_t* packed);
  // The numbers of y in these rows; the range begins at a multiple of kTileRows.
  void (*multiply)(MatrixOperand left, MatrixRange rows, const uint32_t* packed_right, int64_t n,
                   const ProductOutput& y);
};

// Null where this machine has no such instructions.
const MatrixKernels* matrix_kernels();
// Whether it multiplies whole tiles (AMX), which oneDNN does and these kernels do not: faster.
bool has_tile_products();

// The definition: one sum after another, of m rows and n columns.
void plain_multiply(MatrixOperand left, int64_t m, MatrixOperand right, int64_t n,
                    const ProductOutput& y);

}  // namespace sightline
