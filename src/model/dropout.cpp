#include "model/dropout.h"

#include "base/error.h"
#include "base/rng.h"
#include "tensor/sum_type.h"

#include <cmath>

#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// 64 random bits a pair of numbers, 32 each: SplitMix64's output number `pair` of a stream that
// begins at `seed`.
uint64_t bits_of_pair(uint64_t seed, int64_t pair) {
  uint64_t z = seed + (static_cast<uint64_t>(pair) + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t threshold_of(const Dropout& dropout) {
  return static_cast<uint64_t>(std::llround(dropout.probability * 0x1p32));
}

template <class T>
void drop(const at::Tensor& x, at::Tensor& out, const Dropout& dropout) {
  using Scale = at::opmath_type<T>;
  const auto scale = static_cast<Scale>(1.0 / (1.0 - dropout.probability));
  const uint64_t threshold = threshold_of(dropout);
  const int64_t count = x.numel();
  const T* from = x.const_data_ptr<T>();
  T* to = out.data_ptr<T>();
  const auto put = [&](int64_t i, uint64_t bits) {
    to[i] = bits < threshold ? T(0) : static_cast<T>(static_cast<Scale>(from[i]) * scale);
  };
  at::parallel_for(0, (count + 1) / 2, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const uint64_t bits = bits_of_pair(dropout.seed, pair);
      put(2 * pair, bits & 0xffffffffu);
      if (2 * pair + 1 < count) put(2 * pair + 1, bits >> 32);
    }
  });
}

// The same bits by operations on whole tensors, for devices other than the CPU. int64 wraps as
// uint64 does, but for its shifts, which are masked.
at::Tensor mixed(const at::Tensor& z, int64_t shift) {
  const auto mask = static_cast<int64_t>(~uint64_t{0} >> shift);
  return z.bitwise_xor(at::bitwise_right_shift(z, shift).bitwise_and(mask));
}

at::Tensor drop_by_operations(const at::Tensor& x, const Dropout& dropout) {
  const auto word = [](uint64_t number) { return static_cast<int64_t>(number); };
  const int64_t pairs = (x.numel() + 1) / 2;
  at::Tensor z = at::arange(1, pairs + 1, x.options().dtype(at::kLong));
  z = z * word(0x9e3779b97f4a7c15u) + word(dropout.seed);
  z = mixed(z, 30) * word(0xbf58476d1ce4e5b9u);
  z = mixed(mixed(z, 27) * word(0x94d049bb133111ebu), 31);
  constexpr int64_t kLow = 0xffffffff;
  const at::Tensor bits =
      at::stack({z.bitwise_and(kLow), at::bitwise_right_shift(z, 32).bitwise_and(kLow)}, 1);
  const at::Tensor kept =
      bits.flatten().narrow(0, 0, x.numel()).view(x.sizes()) >= word(threshold_of(dropout));
  const at::ScalarType precise = sum_type(x.scalar_type());
  return (x.to(precise) * (1.0 / (1.0 - dropout.probability)) * kept).to(x.scalar_type());
}

at::Tensor drop(const at::Tensor& x, const Dropout& dropout) {
  if (!x.is_cpu()) return drop_by_operations(x, dropout);
  const at::Tensor from = x.contiguous();
  at::Tensor out = at::empty_like(from);
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, from.scalar_type(), "dropout",
                                 [&] { drop<scalar_t>(from, out, dropout); });
  return out;
}

struct DropOut : torch::autograd::Function<DropOut> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double probability,
                            int64_t seed) {
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    return drop(x, {probability, static_cast<uint64_t>(seed)});
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const Dropout dropout{context->saved_data["probability"].toDouble(),
                          static_cast<uint64_t>(context->saved_data["seed"].toInt())};
    return {drop(outputs[0], dropout), Variable(), Variable()};
  }
};

}  // namespace

Dropout Dropout::at(std::string_view site, int64_t layer) const {
  return {probability, derive_seed(seed, site, static_cast<uint64_t>(layer))};
}

at::Tensor dropped_out(const at::Tensor& x, const Dropout& dropout) {
  SL_ASSERT(dropout.probability >= 0 && dropout.probability < 1, "dropout {}", dropout.probability);
  if (dropout.probability == 0) return x;
  return DropOut::apply(x, dropout.probability, static_cast<int64_t>(dropout.seed));
}

at::Tensor plain_dropped_out(const at::Tensor& x, const Dropout& dropout) {
  at::Tensor mask = at::empty(x.sizes(), at::kDouble);
  double* values = mask.data_ptr<double>();
  Rng rng(dropout.seed);
  for (int64_t i = 0; i < mask.numel(); i += 2) {
    const uint64_t bits = rng.next();
    const uint64_t halves[] = {bits & 0xffffffffu, bits >> 32};
    for (int64_t k = 0; k < std::min<int64_t>(2, mask.numel() - i); ++k) {
      values[i + k] = halves[k] < threshold_of(dropout) ? 0.0 : 1.0 / (1.0 - dropout.probability);
    }
  }
  return x * mask.to(x.device(), x.scalar_type());
}

}  // namespace sightline
