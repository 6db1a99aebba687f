// The plugin's kernels on a GPU against the CPU's, where the machine has one: packs and single
// numbers, rows that lie apart, and the same bits each time.

#include "base/plugin.h"
#include "kernels/cuda_kernels.h"
#include "kernels/scalar_functions.h"
#include "tests/adamw_numbers.h"

#include <cmath>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

const at::Device kGpu(at::kCUDA, 0);

template <class Number>
constexpr at::ScalarType kType = std::is_same_v<Number, float> ? at::kFloat : at::kBFloat16;
template <class Number>
constexpr double kRounding = std::is_same_v<Number, float> ? 2e-6 : 1.0 / 128;

template <class Number>
Number* data(const at::Tensor& tensor) {
  return static_cast<Number*>(tensor.mutable_data_ptr());
}

template <class Number>
at::Tensor random(at::IntArrayRef sizes) {
  return at::randn(sizes, at::kFloat).to(kType<Number>);
}

at::Tensor on_gpu(const at::Tensor& tensor) { return tensor.to(kGpu); }

at::Tensor empty_on_gpu(const at::Tensor& like) {
  return at::empty(like.sizes(), like.options().device(kGpu));
}

void expect_near(const at::Tensor& gpu, const at::Tensor& expected, double relative,
                 double absolute = 1e-5) {
  const at::Tensor e = expected.to(at::kDouble), g = gpu.cpu().to(at::kDouble);
  const at::Tensor beyond = (g - e).abs() - relative * e.abs() - absolute;
  EXPECT_LE(beyond.max().item<double>(), 0);
}

TEST(CudaKernels, TheTableIsComplete) {
  const CudaKernels* const kernels = cuda_kernels();
  if (kernels == nullptr) {
    GTEST_SKIP() << "no kernels: "
                 << (cuda_plugin().is_loaded() ? "built without nvcc" : cuda_plugin().problem());
  }
  EXPECT_NE(kernels->fp32.rms_norm_backward, nullptr);
  EXPECT_NE(kernels->bf16.rms_norm_backward, nullptr);
  EXPECT_NE(kernels->bf16.swiglu, nullptr);
  EXPECT_NE(kernels->adamw_fp32, nullptr);
  EXPECT_NE(kernels->adamw_bf16, nullptr);
  EXPECT_NE(kernels->adamw_bf16_by_sums, nullptr);
  EXPECT_NE(kernels->fp32.attend, nullptr);
  EXPECT_NE(kernels->bf16.attend, nullptr);
  EXPECT_NE(kernels->record, nullptr);
}

template <class T>
class GpuKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (cuda_kernels() == nullptr || !at::hasCUDA()) GTEST_SKIP() << "no GPU with kernels here";
    at::manual_seed(1);
  }
  static const CudaArrayKernels<T>& gpu() {
    if constexpr (std::is_same_v<T, float>) {
      return cuda_kernels()->fp32;
    } else {
      return cuda_kernels()->bf16;
    }
  }
  static const ArrayKernels<T>& cpu() {
    if constexpr (std::is_same_v<T, float>) {
      return array_kernels().back()->fp32;
    } else {
      return array_kernels().back()->bf16;
    }
  }
};
using Numbers = testing::Types<float, uint16_t>;
TYPED_TEST_SUITE(GpuKernels, Numbers);

TYPED_TEST(GpuKernels, Swiglu) {
  using N = TypeParam;
  for (const int64_t size : {4096, 4097, 1 << 20}) {
    const at::Tensor gate = random<N>({size}), up = random<N>({size}), d = random<N>({size});
    const at::Tensor out = at::empty_like(gate), d_gate = at::empty_like(gate),
                     d_up = at::empty_like(gate);
    this->cpu().swiglu(data<N>(gate), data<N>(up), size, data<N>(out));
    this->cpu().swiglu_backward(data<N>(gate), data<N>(up), data<N>(d), size, data<N>(d_gate),
                                data<N>(d_up));
    const at::Tensor g = on_gpu(gate), u = on_gpu(up), d_gpu = on_gpu(d), o = empty_on_gpu(gate),
                     dg = empty_on_gpu(gate), du = empty_on_gpu(gate);
    this->gpu().swiglu(data<N>(g), data<N>(u), size, data<N>(o));
    this->gpu().swiglu_backward(data<N>(g), data<N>(u), data<N>(d_gpu), size, data<N>(dg),
                                data<N>(du));
    expect_near(o, out, kRounding<N>);
    expect_near(dg, d_gate, kRounding<N>);
    expect_near(du, d_up, kRounding<N>);
  }
}

TYPED_TEST(GpuKernels, Rotate) {
  using N = TypeParam;
  for (const int64_t d : {64, 22}) {
    constexpr int64_t kRows = 33, kHeads = 5;
    // The rows of a wider product.
    const at::Tensor wide = random<N>({kRows, 3 * kHeads * d}),
                     x = wide.narrow(1, kHeads * d, kHeads * d);
    const at::Tensor cos = at::randn({kRows, d / 2}), sin = at::randn({kRows, d / 2});
    const at::Tensor out = at::empty({kRows, kHeads * d}, x.options());
    for (int64_t t = 0; t < kRows; ++t) {
      this->cpu().rotate(data<N>(x) + t * x.stride(0), data<float>(cos) + t * d / 2,
                         data<float>(sin) + t * d / 2, kHeads, d, data<N>(out) + t * kHeads * d);
    }
    const at::Tensor there = on_gpu(wide), xg = there.narrow(1, kHeads * d, kHeads * d);
    const at::Tensor cg = on_gpu(cos), sg = on_gpu(sin), og = empty_on_gpu(out);
    this->gpu().rotate(data<N>(xg), xg.stride(0), data<float>(cg), data<float>(sg), kRows, kHeads,
                       d, data<N>(og));
    expect_near(og, out, kRounding<N>);
  }
}

TYPED_TEST(GpuKernels, RmsNorm) {
  using N = TypeParam;
  // The last asks for more of the shared memory than a block has without asking.
  for (const auto& [rows, size] :
       {std::pair<int64_t, int64_t>{1, 64}, {700, 576}, {1111, 30}, {64, 12288}}) {
    const at::Tensor x = random<N>({rows, size}), weight = random<N>({size}),
                     d = random<N>({rows, size});
    const at::Tensor out = at::empty_like(x), d_x = at::empty_like(x), d_weight = at::zeros({size}),
                     scale = at::empty({rows});
    for (int64_t t = 0; t < rows; ++t) {
      const int64_t at = t * size;
      const float own =
          this->cpu().rms_norm(data<N>(x) + at, data<N>(weight), size, 1e-5F, data<N>(out) + at);
      data<float>(scale)[t] = own;
      this->cpu().rms_norm_backward(data<N>(x) + at, data<N>(weight), own, data<N>(d) + at, size,
                                    data<N>(d_x) + at, data<float>(d_weight));
    }
    const at::Tensor xg = on_gpu(x), wg = on_gpu(weight), dg = on_gpu(d), og = empty_on_gpu(x),
                     sg = empty_on_gpu(scale), dxg = empty_on_gpu(x);
    this->gpu().rms_norm(data<N>(xg), data<N>(wg), rows, size, 1e-5F, data<N>(og), data<float>(sg));
    const auto backward = [&, rows = rows, size = size] {
      const at::Tensor blocks = at::empty({rms_norm_blocks(rows), size}, sg.options());
      this->gpu().rms_norm_backward(data<N>(xg), data<N>(wg), data<float>(sg), data<N>(dg), rows,
                                    size, data<N>(dxg), data<float>(blocks));
      return blocks.sum(0);
    };
    const at::Tensor sum = backward();
    expect_near(sg, scale, 1e-6);
    expect_near(og, out, kRounding<N>);
    expect_near(dxg, d_x, kRounding<N>, 1e-4);
    expect_near(sum, d_weight, 1e-4, 1e-3);
    EXPECT_TRUE(sum.equal(backward()));
  }
}

// What is recorded is done once at once, and again on what then lies in the same memory.
using GpuRecording = GpuKernels<float>;
TEST_F(GpuRecording, IsDoneAgain) {
  const at::Tensor x = at::ones({1000}).to(kGpu), out = empty_on_gpu(x);
  const auto work = cuda_kernels()->record([&] { out.copy_(at::add(x, x).mul(3)); });
  EXPECT_EQ(out.sum().item<double>(), 6000);
  x.fill_(2);
  work->replay();
  EXPECT_EQ(out.sum().item<double>(), 12000);
}

// The fp32 masters of weights and of what rounding to them left, on the CPU.
at::Tensor masters(const at::Tensor& weight, const at::Tensor& rest) {
  const at::Tensor numbers = weight.cpu().to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  if (weight.scalar_type() == at::kFloat) return numbers;
  const at::Tensor weights = weight.cpu(), rests = rest.cpu();
  for (int64_t i = 0; i < numbers.numel(); ++i) {
    data<float>(numbers)[i] = joined(data<uint16_t>(weights)[i], data<int16_t>(rests)[i]);
  }
  return numbers;
}

// By the CPU's kernel of the same weights and gradients.
template <class Weight, class Gradient>
void expect_same_step(CudaAdamW<Weight, Gradient> kernel, AdamWKernel<Weight, Gradient> on_cpu,
                      int64_t size) {
  const AdamWNumbers numbers = test::adamw_numbers_of_step(1);
  const bool is_master = std::is_same_v<Weight, float>;
  const at::Tensor weight = at::randn({size}).to(kType<Weight>),
                   gradient = at::randn({size}).to(kType<Gradient>), first = at::randn({size}),
                   second = at::rand({size}), rest = at::zeros({size}, at::kShort);
  const at::Tensor wg = on_gpu(weight), gg = on_gpu(gradient), fg = on_gpu(first),
                   sg = on_gpu(second), rg = on_gpu(rest);
  const at::Tensor squares = at::empty({adamw_pieces(size)}, fg.options().dtype(at::kDouble));
  const auto left = [&](const at::Tensor& x) { return is_master ? nullptr : data<int16_t>(x); };
  const double expected = on_cpu(numbers, size, data<Gradient>(gradient), data<Weight>(weight),
                                 left(rest), data<float>(first), data<float>(second));
  kernel(numbers, size, data<Gradient>(gg), data<Weight>(wg), left(rg), data<float>(fg),
         data<float>(sg), data<double>(squares));
  expect_near(masters(wg, rg), masters(weight, rest), 1e-6);
  expect_near(fg, first, 1e-6);
  expect_near(sg, second, 1e-6);
  EXPECT_NEAR(squares.sum().item<double>(), expected, 1e-4 * expected);
}

using GpuAdamW = GpuKernels<float>;
TEST_F(GpuAdamW, MovesAsOnTheCpu) {
  const CudaKernels& kernels = *cuda_kernels();
  const AdamWKernels& on_cpu = array_kernels().back()->adamw;
  for (const int64_t size : {4096 * 5, 12347}) {
    expect_same_step(kernels.adamw_fp32, on_cpu.fp32, size);
    expect_same_step(kernels.adamw_bf16, on_cpu.bf16, size);
    expect_same_step(kernels.adamw_bf16_by_sums, on_cpu.bf16_by_sums, size);
  }
}

}  // namespace
}  // namespace sightline
