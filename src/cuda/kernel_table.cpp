// The kernels, on LibTorch's current stream, for the program that has loaded this plugin.

#include "cuda/launch.h"
#include "cuda/recorded_work.h"
#include "kernels/cuda_kernels.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

namespace sightline::gpu {

namespace {

// The launcher as a function that finds the stream by itself.
template <auto launch>
struct OnCurrentStream;
template <class... Arguments, void (*launch)(cudaStream_t, Arguments...)>
struct OnCurrentStream<launch> {
  static void call(Arguments... arguments) {
    launch(c10::cuda::getCurrentCUDAStream().stream(), arguments...);
    C10_CUDA_CHECK(cudaGetLastError());
  }
};

template <class Number>
constexpr CudaArrayKernels<Number> kernels_of() {
  return {OnCurrentStream<launch_swiglu<Number>>::call,
          OnCurrentStream<launch_swiglu_backward<Number>>::call,
          OnCurrentStream<launch_rotate<Number>>::call,
          OnCurrentStream<launch_rms_norm<Number>>::call,
          OnCurrentStream<launch_rms_norm_backward<Number>>::call,
          OnCurrentStream<launch_store<Number>>::call,
          OnCurrentStream<launch_attend<Number>>::call};
}

template <class Weight, class Gradient>
constexpr CudaAdamW<Weight, Gradient> adamw() {
  return OnCurrentStream<launch_adamw<Weight, Gradient>>::call;
}

}  // namespace

}  // namespace sightline::gpu

extern "C" const sightline::CudaKernels* sightline_cuda_kernels() {
  using namespace sightline;
  static constexpr CudaKernels kKernels{
      gpu::kernels_of<float>(),         gpu::kernels_of<uint16_t>(),   gpu::adamw<float, float>(),
      gpu::adamw<uint16_t, uint16_t>(), gpu::adamw<uint16_t, float>(), gpu::record};
  return &kKernels;
}
