#include "cuda/array_bodies.h"
#include "cuda/block.h"
#include "cuda/launch.h"
#include "kernels/cuda_kernels.h"

namespace sightline::gpu {

namespace {

template <int width, class Weight, class Gradient>
__global__ void adamw_kernel(AdamWFactors factors, int64_t packs, const Gradient* gradient,
                             Weight* weight, int16_t* rest, float* first, float* second,
                             double* squares) {
  SL_GPU_BLOCK(block);
  adamw<width>(block, factors, packs, kAdamWPiece / width, gradient, weight, rest, first, second,
               squares);
}

}  // namespace

template <class Weight, class Gradient>
void launch_adamw(cudaStream_t stream, const AdamWNumbers& numbers, int64_t size,
                  const Gradient* gradient, Weight* weight, int16_t* rest, float* first,
                  float* second, double* squares) {
  if (size == 0) return;
  constexpr int kFour = kWidth<float>;
  const bool whole = in_packs<float>(size, gradient, weight, rest, first, second);
  const auto kernel =
      whole ? adamw_kernel<kFour, Weight, Gradient> : adamw_kernel<1, Weight, Gradient>;
  kernel<<<static_cast<unsigned>(adamw_pieces(size)), kThreads, 0, stream>>>(
      factors_of(numbers), whole ? size / kFour : size, gradient, weight, rest, first, second,
      squares);
}

template void launch_adamw(cudaStream_t, const AdamWNumbers&, int64_t, const float*, float*,
                           int16_t*, float*, float*, double*);
template void launch_adamw(cudaStream_t, const AdamWNumbers&, int64_t, const uint16_t*, uint16_t*,
                           int16_t*, float*, float*, double*);
template void launch_adamw(cudaStream_t, const AdamWNumbers&, int64_t, const float*, uint16_t*,
                           int16_t*, float*, float*, double*);

}  // namespace sightline::gpu
