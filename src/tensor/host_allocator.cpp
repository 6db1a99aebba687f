#include "tensor/host_allocator.h"

#include <cstdint>
#include <cstdlib>
#include <new>

#include <c10/core/CPUAllocator.h>

namespace sightline {

namespace {

constexpr uintptr_t kAligned = 64;

// Where the C library's block begins stands right before what is given out: LibTorch's users of raw
// memory (oneDNN) know nothing but the latter.
void give_back(void* data) {
  if (data != nullptr) std::free(static_cast<void**>(data)[-1]);
}

class HostAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    if (size == 0) return {nullptr, nullptr, &give_back, at::kCPU};
    void* const block = std::malloc(size + sizeof(void*) + kAligned);
    if (block == nullptr) throw std::bad_alloc();
    const uintptr_t least = reinterpret_cast<uintptr_t>(block) + sizeof(void*);
    auto* const data = reinterpret_cast<void**>((least + kAligned - 1) / kAligned * kAligned);
    data[-1] = block;
    return {data, data, &give_back, at::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, size_t size) const override {
    default_copy_data(to, from, size);
  }
};

}  // namespace

c10::Allocator& host_allocator() {
  static HostAllocator allocator;
  return allocator;
}

void use_host_allocator() { c10::SetCPUAllocator(&host_allocator()); }

}  // namespace sightline
