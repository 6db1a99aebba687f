#pragma once
// The next token of many sequences on a GPU, without its being told each piece of work anew: a step
// of one shape is recorded when it is first taken (CUDA graphs) and done again as one. What differs
// from token to token lies in the GPU's memory, copied there at once: tokens, how long sequences
// are, and which rows of the cache are theirs. Attention reads those rows where they lie.
//
// Shapes are few: sequences are filled up to a power of two, or a multiple of eight, by the first
// one again, and rows to a power of two. Recording takes about three steps' time, so that what was
// recorded, and the memory that it speaks of, is kept from one batch to the next.
//
// Legend: S sequences, N integers, V vocabulary.

#include "generate/kv_cache.h"
#include "kernels/cuda_kernels.h"
#include "model/decoder.h"

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class DeviceSteps {
 public:
  // Null where the device has no kernels for numbers and heads like the model's (the CPU has
  // StepDecoder). Both must outlive what is returned.
  static std::unique_ptr<DeviceSteps> where_it_can(const Decoder& language,
                                                   const Matrices& matrices);

  // A cache over the memory that steps are recorded for, with room for `rows` at least. One at a
  // time.
  KvCache cache(int64_t rows);

  // tokens[s] goes behind sequence s of such a cache, at its next position. Returns
  // log-probabilities, fp32 [S, V] on the device, which the next call writes over.
  at::Tensor step(std::span<const int32_t> tokens, KvCache& cache);

  // How many steps were recorded, and how many of those done again.
  int64_t recorded() const { return recorded_; }
  int64_t replayed() const { return replayed_; }

 private:
  struct Shape {
    int64_t sequences = 0, room = 0;  // filled up
    auto operator<=>(const Shape&) const = default;
    int64_t integers() const { return sequences * (2 + room); }
  };

  DeviceSteps(const Decoder& language, const Matrices& matrices, const CudaKernels& kernels)
      : language_(language), matrices_(matrices), kernels_(kernels) {}

  static Shape shape_of(const KvCache& cache);
  // Makes memory that is too small anew, and forgets what was recorded for it.
  void make_room(const Shape& shape, const KvCache& cache);
  at::Tensor integers_of(const Shape& shape, std::span<const int32_t> tokens,
                         const KvCache& cache) const;
  // What is recorded: from integers_N_ to log_probabilities_SV_.
  void compute(const Shape& shape) const;

  const Decoder& language_;
  const Matrices& matrices_;
  const CudaKernels& kernels_;
  std::vector<KvLayer> layers_;
  at::Tensor integers_N_;            // int32: tokens [S], lengths [S], rows [S, room]
  at::Tensor log_probabilities_SV_;  // of the most sequences so far
  std::map<Shape, std::unique_ptr<RecordedWork>> steps_;
  int64_t recorded_ = 0, replayed_ = 0;
};

}  // namespace sightline
