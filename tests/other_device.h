#pragma once
// A device that is not the CPU, for machines without a GPU: LibTorch's slot for devices of others
// (PrivateUse1), whose memory the program cannot reach. Every operation is carried out on a copy by
// the CPU's own. A program that is right on it takes no tensor's memory for the CPU's, mixes no
// devices, and asks for nothing back but through LibTorch: as on a GPU.
//
// Its flash attention is the definition, so that what a GPU would be asked for is held to numbers.
// Tests of OnDevice run on it, and again on a GPU where there is one.

#include "base/error.h"
#include "tensor/device.h"
#include "tests/other_recording.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/EmptyTensor.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <gtest/gtest.h>
#include <torch/library.h>

namespace sightline::test {

inline constexpr c10::DeviceType kOther = c10::DeviceType::PrivateUse1;

// No address of a process: who reads one falls.
inline constexpr uintptr_t kHidden = uintptr_t{1} << 62;

inline void* hidden(void* memory) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(memory) | kHidden);
}
inline void* shown(const void* memory) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(memory) & ~kHidden);
}

struct OtherMemory final : c10::Allocator {
  static void release(void* memory) {
    if (recording() == nullptr) return std::free(shown(memory));
    recording()->at_end.push_back([memory] { std::free(shown(memory)); });
  }
  c10::DataPtr allocate(size_t bytes) override {
    void* const memory = hidden(std::aligned_alloc(64, (bytes + 127) / 64 * 64));
    return {memory, memory, &release, c10::Device(kOther, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(shown(to), shown(from), bytes);
  }
};

// Copies on a stream beside the computing one come late: not before somebody waits for an event
// behind them. Until then there is nothing but ones' bits, no number.
class LateCopies {
 public:
  void add(std::function<void()> copy) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(copy));
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  void do_first(size_t count) {
    const std::lock_guard lock(mutex_);
    while (done_ < count) std::exchange(waiting_[done_++], {})();
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
  size_t done_ = 0;
};
inline LateCopies& late_copies() {
  static LateCopies copies;
  return copies;
}
// Whether the thread's current stream is the one beside.
inline bool& is_beside() {
  thread_local bool beside = false;
  return beside;
}

struct OtherGuard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kOther; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return {kOther, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  static c10::Stream stream(bool beside) {
    return c10::Stream(c10::Stream::UNSAFE, c10::Device(kOther, 0), beside ? 1 : 0);
  }
  c10::Stream getStream(c10::Device) const override { return stream(is_beside()); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return stream(true); }
  c10::Stream exchangeStream(c10::Stream next) const override {
    return stream(std::exchange(is_beside(), next.id() == 1));
  }
  void record(void** event, const c10::Stream& of, c10::DeviceIndex,
              c10::EventFlag) const override {
    SL_ASSERT(of.id() == 1, "an event of the computing stream");
    *event = new size_t(late_copies().count());
  }
  void block(void* event, const c10::Stream& later) const override {
    SL_ASSERT(later.id() == 0, "the copies' stream waits");
    late_copies().do_first(*static_cast<size_t*>(event));
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    delete static_cast<size_t*>(event);
  }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};

struct OtherHooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};

// LibTorch asks for them by the backend's name alone.
inline const bool kRegistered = [] {
  static OtherHooks hooks;
  at::RegisterPrivateUse1HooksInterface(&hooks);
  c10::register_privateuse1_backend("other");
  return true;
}();

// The same numbers as a tensor of the CPU: shared, not copied.
inline at::Tensor on_cpu(const at::Tensor& x) {
  if (x.is_cpu()) return x;
  void* const first = shown(x.storage().data());
  return at::from_blob(static_cast<char*>(first) + x.storage_offset() * x.element_size(), x.sizes(),
                       x.strides(), x.options().device(at::kCPU));
}

inline at::Tensor empty_memory_format(c10::SymIntArrayRef size, std::optional<at::ScalarType> type,
                                      std::optional<at::Layout>, std::optional<at::Device>,
                                      std::optional<bool>, std::optional<at::MemoryFormat> format) {
  static OtherMemory memory;
  return at::detail::empty_generic(C10_AS_INTARRAYREF_SLOW(size), &memory,
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(type), format);
}

inline at::Tensor empty_strided(c10::SymIntArrayRef size, c10::SymIntArrayRef stride,
                                std::optional<at::ScalarType> type, std::optional<at::Layout>,
                                std::optional<at::Device>, std::optional<bool>) {
  static OtherMemory memory;
  return at::detail::empty_strided_generic(
      C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride), &memory,
      c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(type));
}

inline at::Tensor& copy(at::Tensor& self, const at::Tensor& from, bool) {
  if (self.is_cpu() || from.is_cpu()) cannot_be_recorded("a copy to or from the CPU");
  if (is_beside()) {
    std::memset(on_cpu(self).mutable_data_ptr(), 0xff, self.nbytes());
    late_copies().add([self, pinned = from.clone()] { on_cpu(self).copy_(on_cpu(pinned)); });
    return self;
  }
  do_and_record([self, from] { on_cpu(self).copy_(on_cpu(from)); });
  return self;
}
inline at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  at::Tensor result = to;
  return copy(result, from, false);
}
inline void record_stream(at::Tensor&, c10::Stream stream) {
  SL_ASSERT(stream.id() == 0, "memory is kept for the stream that computes");
}
inline const at::Tensor& resize(const at::Tensor& self, c10::SymIntArrayRef size,
                                std::optional<at::MemoryFormat>) {
  cannot_be_recorded("a tensor of another size");
  const at::Tensor grown = at::empty(C10_AS_INTARRAYREF_SLOW(size), self.options());
  self.unsafeGetTensorImpl()->set_storage_keep_dtype(grown.storage());
  self.unsafeGetTensorImpl()->set_sizes_contiguous(grown.sizes());
  return self;
}
inline at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  cannot_be_recorded("a copy of any size");
  if (to.sizes() != from.sizes()) to.resize_(from.sizes());
  on_cpu(to).copy_(on_cpu(from));
  return to;
}
inline at::Scalar local_scalar(const at::Tensor& x) {
  cannot_be_recorded("a number for the CPU");
  return on_cpu(x).item();
}

inline at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias, c10::SymIntArrayRef stride,
                              c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation,
                              bool transposed, c10::SymIntArrayRef output_padding,
                              c10::SymInt groups) {
  cannot_be_recorded("a convolution");
  return at::convolution_symint(on_cpu(input), on_cpu(weight),
                                bias ? std::optional(on_cpu(*bias)) : std::nullopt, stride, padding,
                                dilation, transposed, output_padding, groups)
      .to(kOther);
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
    c10::SymIntArrayRef stride, c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation,
    bool transposed, c10::SymIntArrayRef output_padding, c10::SymInt groups,
    std::array<bool, 3> wanted) {
  const auto found = at::convolution_backward_symint(
      on_cpu(gradient), on_cpu(input), on_cpu(weight), c10::SymIntArrayRef({weight.sym_size(0)}),
      stride, padding, dilation, transposed, output_padding, groups, wanted);
  const auto back = [](const at::Tensor& x) { return x.defined() ? x.to(kOther) : x; };
  return {back(std::get<0>(found)), back(std::get<1>(found)), back(std::get<2>(found))};
}

// One run of variable-length attention: q [q, H, d], k and v [k, G, d], causal to the lower right.
struct FlashRun {
  at::Tensor q_HQd, k_HKd, v_HKd, weights_HQK;

  FlashRun(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal,
           double scale) {
    const int64_t shared = q.size(1) / k.size(1);
    const auto heads_first = [](const at::Tensor& x) { return x.to(at::kDouble).transpose(0, 1); };
    q_HQd = heads_first(q);
    k_HKd = heads_first(k).repeat_interleave(shared, 0);
    v_HKd = heads_first(v).repeat_interleave(shared, 0);
    at::Tensor scores = at::matmul(q_HQd, k_HKd.transpose(1, 2)) * scale;
    if (causal) {
      const at::Tensor later =
          at::ones({q.size(0), k.size(0)}, at::kBool).triu(k.size(0) - q.size(0) + 1);
      scores = scores.masked_fill(later, -std::numeric_limits<double>::infinity());
    }
    weights_HQK = at::softmax(scores, -1);
  }
};

// Calls f(queries' first row and end, keys' first row and end) for each run.
template <class F>
void for_each_run(const at::Tensor& query_starts, const at::Tensor& key_starts, const F& f) {
  const at::Tensor q = on_cpu(query_starts), k = on_cpu(key_starts);
  SL_ASSERT(q.scalar_type() == at::kInt && k.scalar_type() == at::kInt, "starts are int32");
  for (int64_t run = 0; run + 1 < q.numel(); ++run) {
    f(q[run].item<int64_t>(), q[run + 1].item<int64_t>(), k[run].item<int64_t>(),
      k[run + 1].item<int64_t>());
  }
}

inline int64_t& flash_calls() {
  static int64_t calls = 0;
  return calls;
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> flash_forward(
    const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
    const std::optional<at::Tensor>& query_starts, const std::optional<at::Tensor>& key_starts,
    c10::SymInt most_queries, c10::SymInt most_keys, double, bool causal, bool,
    std::optional<double> scale, std::optional<c10::SymInt>, std::optional<c10::SymInt>,
    const std::optional<at::Tensor>&, const std::optional<at::Tensor>&) {
  cannot_be_recorded("flash attention");
  ++flash_calls();
  const at::Tensor q = on_cpu(query), k = on_cpu(key), v = on_cpu(value);
  const at::Tensor out = at::zeros_like(q);
  for_each_run(*query_starts, *key_starts, [&](int64_t q0, int64_t q1, int64_t k0, int64_t k1) {
    SL_ASSERT(q1 - q0 <= most_queries && k1 - k0 <= most_keys, "a run longer than the longest");
    const FlashRun run(q.slice(0, q0, q1), k.slice(0, k0, k1), v.slice(0, k0, k1), causal,
                       scale.value());
    out.slice(0, q0, q1).copy_(at::matmul(run.weights_HQK, run.v_HKd).transpose(0, 1));
  });
  const at::Tensor unused = at::zeros({1}).to(kOther);
  return {out.to(kOther), unused, unused, unused, unused};
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> flash_backward(
    const at::Tensor& gradient, const at::Tensor& query, const at::Tensor& key,
    const at::Tensor& value, const at::Tensor&, const at::Tensor&, const at::Tensor& query_starts,
    const at::Tensor& key_starts, c10::SymInt, c10::SymInt, double, bool causal, const at::Tensor&,
    const at::Tensor&, std::optional<double> scale, std::optional<c10::SymInt>,
    std::optional<c10::SymInt>) {
  const at::Tensor q = on_cpu(query), k = on_cpu(key), v = on_cpu(value), d = on_cpu(gradient);
  const at::Tensor d_q = at::zeros_like(q), d_k = at::zeros_like(k), d_v = at::zeros_like(v);
  for_each_run(query_starts, key_starts, [&](int64_t q0, int64_t q1, int64_t k0, int64_t k1) {
    const FlashRun run(q.slice(0, q0, q1), k.slice(0, k0, k1), v.slice(0, k0, k1), causal,
                       scale.value());
    const at::Tensor d_HQd = d.slice(0, q0, q1).to(at::kDouble).transpose(0, 1);
    const at::Tensor& p = run.weights_HQK;
    const at::Tensor d_p = at::matmul(d_HQd, run.v_HKd.transpose(1, 2));
    const at::Tensor d_s = p * (d_p - (p * d_p).sum(-1, true)) * scale.value();
    // Query heads of one key head give it their sum.
    const auto to_keys = [&](const at::Tensor& x_HKd) {
      return x_HKd.view({k.size(1), -1, x_HKd.size(1), x_HKd.size(2)}).sum(1).transpose(0, 1);
    };
    d_q.slice(0, q0, q1).copy_(at::matmul(d_s, run.k_HKd).transpose(0, 1));
    d_k.slice(0, k0, k1).copy_(to_keys(at::matmul(d_s.transpose(1, 2), run.q_HQd)));
    d_v.slice(0, k0, k1).copy_(to_keys(at::matmul(p.transpose(1, 2), d_HQd)));
  });
  return {d_q.to(kOther), d_k.to(kOther), d_v.to(kOther)};
}

// Tests of a device: of the one here (Other/...), and of a GPU (Gpu/..., ctest's label gpu), where
// they skip if there is none.
class OnDevice : public testing::TestWithParam<c10::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == at::kCUDA && usable_gpus() == 0)
      GTEST_SKIP() << "no GPU that LibTorch can use";
  }
  static at::Device device() {
    return GetParam() == at::kCUDA ? compute_device("cuda") : at::Device(GetParam());
  }
};

// Carries out an operation by the CPU's; recorded, its results go where they went the first time.
inline void by_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  Recording* const into = recording();
  const RecordInto nothing(nullptr);  // of what the CPU's operation copies to and fro
  if (into == nullptr) return at::native::cpu_fallback(op, stack);
  const size_t arguments = op.schema().arguments().size(), results = op.schema().returns().size();
  const auto last = [&](size_t count) {
    return torch::jit::Stack(stack->end() - static_cast<std::ptrdiff_t>(count), stack->end());
  };
  const torch::jit::Stack given = last(arguments);
  at::native::cpu_fallback(op, stack);
  into->pieces.push_back([op, given, made = last(results)] {
    torch::jit::Stack again = given;
    at::native::cpu_fallback(op, &again);
    for (size_t i = 0; i < made.size(); ++i) {
      if (!made[i].isTensor()) continue;
      const at::Tensor to = made[i].toTensor(), from = again[i].toTensor();
      if (!to.is_same(from)) on_cpu(to).copy_(on_cpu(from));
    }
  });
}

}  // namespace sightline::test

namespace {

C10_REGISTER_GUARD_IMPL(PrivateUse1, sightline::test::OtherGuard)

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&sightline::test::by_cpu>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  namespace own = sightline::test;
  m.impl("empty.memory_format", TORCH_FN(own::empty_memory_format));
  m.impl("empty_strided", TORCH_FN(own::empty_strided));
  m.impl("resize_", TORCH_FN(own::resize));
  m.impl("record_stream", TORCH_FN(own::record_stream));
  m.impl("copy_", TORCH_FN(own::copy));
  m.impl("_copy_from", TORCH_FN(own::copy_from));
  m.impl("_copy_from_and_resize", TORCH_FN(own::copy_from_and_resize));
  m.impl("_local_scalar_dense", TORCH_FN(own::local_scalar));
  m.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  m.impl("view", TORCH_FN(at::native::view));
  m.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
  m.impl("unfold", TORCH_FN(at::native::unfold));
  m.impl("convolution_overrideable", TORCH_FN(own::convolution));
  m.impl("convolution_backward_overrideable", TORCH_FN(own::convolution_backward));
  m.impl("_flash_attention_forward", TORCH_FN(own::flash_forward));
  m.impl("_flash_attention_backward", TORCH_FN(own::flash_backward));
}

}  // namespace
