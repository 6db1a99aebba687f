#pragma once
// The array kernels (array_kernels.h) of a GPU: whole tensors, in its memory. They are compiled in
// the plugin of src/cuda. A call puts its work on LibTorch's current stream of the current device,
// which must be the tensors', and returns at once; where CUDA refuses it throws c10::Error.
//
// All is computed in fp32. Sums are taken in an order that the shapes alone decide, so that a call
// gives the same bits each time.
//
// Legend: T rows, D hidden size, H heads, d head size, B blocks of rows. Arrays are contiguous
// unless said otherwise.

#include "kernels/array_kernels.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

namespace sightline {

// Blocks of rows by which the gradient of RMSNorm's weight is summed.
constexpr int64_t rms_norm_blocks(int64_t rows) { return std::clamp<int64_t>(rows, 1, 512); }

// Pieces by which AdamW sums up how far it moved.
constexpr int64_t kAdamWPiece = 4096;
constexpr int64_t adamw_pieces(int64_t size) { return (size + kAdamWPiece - 1) / kAdamWPiece; }

// A layer's stored keys and values, and the rows of them that sequences have: what one new row of
// each is written to, and attends to. What changes from token to token lies in the GPU's memory.
//
// Legend: S sequences, P stored rows, G key/value heads, d head size.
template <class Number>
struct CudaCache {
  Number *keys, *values;              // [P, G, d]
  const int32_t* rows;                // [S, room]: sequence s's, in the order of their positions
  const int32_t* lengths;             // [S]: how many it has, the new one among them; 1 to room
  int64_t sequences, room;            // room: a multiple of kCacheRoom
  int64_t query_heads, key_heads, d;  // d <= kMostCachedHead
};
// Attention takes a sequence's rows in parts of so many.
constexpr int64_t kCachePart = 32;
constexpr int64_t kCacheRoom = 256;
constexpr int64_t kMostCachedHead = 256;
// Numbers that attention over such a cache needs to work with.
constexpr int64_t cache_parts_size(int64_t sequences, int64_t room, int64_t heads, int64_t d) {
  return sequences * heads * (room / kCachePart) * (d + 2);
}

// `Number` is float, or uint16_t for bf16.
template <class Number>
struct CudaArrayKernels {
  // out = silu(gate) * up, elementwise.
  void (*swiglu)(const Number* gate, const Number* up, int64_t size, Number* out);
  void (*swiglu_backward)(const Number* gate, const Number* up, const Number* d_out, int64_t size,
                          Number* d_gate, Number* d_up);

  // x [T, H, d] -> out [T, H, d]: the two halves of each head turn by their row's angles, whose
  // cosines and sines are [T, d/2]. x's rows begin row_stride numbers apart. Backward is the turn
  // by the opposite sines.
  void (*rotate)(const Number* x, int64_t row_stride, const float* cos, const float* sin,
                 int64_t rows, int64_t heads, int64_t d, Number* out);

  // x [T, D], weight [D] -> out [T, D] = x * scale * weight, scale [T] = 1 / sqrt(mean(x^2) +
  // epsilon).
  void (*rms_norm)(const Number* x, const Number* weight, int64_t rows, int64_t size, float epsilon,
                   Number* out, float* scale);
  // d_x [T, D], and d_weight [rms_norm_blocks(T), D]: the sum over its rows is the weight's
  // gradient. Both are written over.
  void (*rms_norm_backward)(const Number* x, const Number* weight, const float* scale,
                            const Number* d_out, int64_t rows, int64_t size, Number* d_x,
                            float* d_weight);

  // Each sequence's last row becomes k and v [S, G, d].
  void (*store)(const CudaCache<Number>& cache, const Number* k, const Number* v);
  // out [S, H, d]: the softmax of q [S, H, d] times its sequence's keys, times `scale`, over its
  // values. `parts` [cache_parts_size()] is written over.
  void (*attend)(const CudaCache<Number>& cache, const Number* q, float scale, float* parts,
                 Number* out);
};

// A step of AdamW over `size` numbers, as AdamWKernel takes it. squares [adamw_pieces(size)]: the
// sums of the squares of what the master moved by.
template <class Weight, class Gradient>
using CudaAdamW = void (*)(const AdamWNumbers& numbers, int64_t size, const Gradient* gradient,
                           Weight* weight, int16_t* rest, float* first, float* second,
                           double* squares);

// Work that a GPU was given once and keeps, to be asked for again as one (a CUDA graph): what each
// piece costs to be started is paid once.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  // Does it again on the current stream, with the same memory: what is new lies in the tensors that
  // it read and were there before it.
  virtual void replay() = 0;
};

struct CudaKernels {
  CudaArrayKernels<float> fp32;
  CudaArrayKernels<uint16_t> bf16;

  CudaAdamW<float, float> adamw_fp32;
  CudaAdamW<uint16_t, uint16_t> adamw_bf16;
  CudaAdamW<uint16_t, float> adamw_bf16_by_sums;

  // Does `work` once, and keeps it. It must ask the GPU for no number and copy nothing to or from
  // the CPU, and must be what may be done twice: it is, the second time without being carried out.
  std::unique_ptr<RecordedWork> (*record)(const std::function<void()>& work);
};

// Null where the plugin is missing or was built without a compiler for GPUs: LibTorch's own
// operations serve then.
const CudaKernels* cuda_kernels();

// What the plugin exports for it, under this name.
using CudaKernelTable = const CudaKernels*();
inline constexpr const char* kCudaKernelTable = "sightline_cuda_kernels";

}  // namespace sightline
