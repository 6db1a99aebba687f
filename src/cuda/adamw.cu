#include "cuda/array_bodies.h"
#include "cuda/block.h"
#include "cuda/launch.h"
#include "kernels/cuda_kernels.h"

namespace sightline::gpu {

namespace {

template <int width>
__global__ void adamw_kernel(AdamWFactors factors, int64_t packs, const float* gradient,
                             float* master, float* first, float* second, uint16_t* weight,
                             double* squares) {
  SL_GPU_BLOCK(block);
  adamw<width>(block, factors, packs, kAdamWPiece / width, gradient, master, first, second, weight,
               squares);
}

}  // namespace

void launch_adamw(cudaStream_t stream, const AdamWNumbers& numbers, int64_t size,
                  const float* gradient, float* master, float* first, float* second,
                  uint16_t* weight, double* squares) {
  if (size == 0) return;
  constexpr int kFour = kWidth<float>;
  const bool whole = in_packs<float>(size, gradient, master, first, second) &&
                     is_multiple(weight, kFour * sizeof(*weight));
  const auto kernel = whole ? adamw_kernel<kFour> : adamw_kernel<1>;
  kernel<<<static_cast<unsigned>(adamw_pieces(size)), kThreads, 0, stream>>>(
      factors_of(numbers), whole ? size / kFour : size, gradient, master, first, second, weight,
      squares);
}

}  // namespace sightline::gpu
