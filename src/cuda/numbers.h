#pragma once
// Numbers as the GPU's kernels load, compute and store them. What is not the GPU's own instruction
// stands here too, so that the kernels' bodies can be compiled, and tested, for the CPU.

#include <cstdint>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#define SL_DEVICE __host__ __device__ __forceinline__
#else
#include <cmath>
#define SL_DEVICE inline
#endif

namespace sightline::gpu {

// `width` neighbours, loaded and stored at once: their address is a multiple of their size.
template <class Number, int width>
struct alignas(sizeof(Number) * width) Pack {
  Number at[width];
};

template <int width, class Number>
SL_DEVICE Pack<Number, width> load(const Number* from, int64_t pack) {
  return reinterpret_cast<const Pack<Number, width>*>(from)[pack];
}

template <class Number, int width>
SL_DEVICE void store(Number* to, int64_t pack, const Pack<Number, width>& numbers) {
  reinterpret_cast<Pack<Number, width>*>(to)[pack] = numbers;
}

SL_DEVICE float float_of(float x) { return x; }
SL_DEVICE float float_of(uint16_t x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16);
}

SL_DEVICE void put(float& to, float x) { to = x; }
// To the nearest, to the even one of two.
SL_DEVICE void put(uint16_t& to, float x) {
#ifdef __CUDA_ARCH__
  to = __bfloat16_as_ushort(__float2bfloat16_rn(x));
#else
  const auto bits = __builtin_bit_cast(uint32_t, x);
  const bool is_no_number = (bits & 0x7fffffff) > 0x7f800000;
  to = static_cast<uint16_t>(is_no_number ? 0x7fff : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
#endif
}

// A pack of fp32 masters: the weights themselves, or bf16 weights and what their rounding left
// (kernels/scalar_functions.h: with_rest, joined).
template <class Weight, int width>
class Master;

template <int width>
class Master<float, width> {
 public:
  SL_DEVICE Master(const float* weight, const int16_t*, int64_t pack)
      : weight_(load<width>(weight, pack)) {}
  SL_DEVICE float at(int i) const { return weight_.at[i]; }
  SL_DEVICE void put(int i, float x) { weight_.at[i] = x; }
  SL_DEVICE void store_to(float* weight, int16_t*, int64_t pack) const {
    store(weight, pack, weight_);
  }

 private:
  Pack<float, width> weight_;
};

template <int width>
class Master<uint16_t, width> {
 public:
  SL_DEVICE Master(const uint16_t* weight, const int16_t* rest, int64_t pack)
      : weight_(load<width>(weight, pack)), rest_(load<width>(rest, pack)) {}
  SL_DEVICE float at(int i) const {
    const auto difference = static_cast<uint32_t>(static_cast<int32_t>(rest_.at[i]));
    return __builtin_bit_cast(float, (static_cast<uint32_t>(weight_.at[i]) << 16) + difference);
  }
  SL_DEVICE void put(int i, float x) {
    const auto bits = __builtin_bit_cast(uint32_t, x);
    const uint32_t rounded = (bits + 0x8000) >> 16;
    weight_.at[i] = static_cast<uint16_t>(rounded);
    rest_.at[i] = static_cast<int16_t>(bits - (rounded << 16));
  }
  SL_DEVICE void store_to(uint16_t* weight, int16_t* rest, int64_t pack) const {
    store(weight, pack, weight_);
    store(rest, pack, rest_);
  }

 private:
  Pack<uint16_t, width> weight_;
  Pack<int16_t, width> rest_;
};

SL_DEVICE float square_root(float x) {
#ifdef __CUDA_ARCH__
  return sqrtf(x);
#else
  return std::sqrt(x);
#endif
}

// The GPU's short form: within a few units of the last place.
SL_DEVICE float exponential(float x) {
#ifdef __CUDA_ARCH__
  return __expf(x);
#else
  return std::exp(x);
#endif
}

// By the GPU's short form of a quotient too, which is 0 where e^-x is no number any more.
SL_DEVICE float sigmoid(float x) {
#ifdef __CUDA_ARCH__
  return __fdividef(1.0F, 1.0F + exponential(-x));
#else
  return 1.0F / (1.0F + exponential(-x));
#endif
}

}  // namespace sightline::gpu
