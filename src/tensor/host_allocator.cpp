#include "tensor/host_allocator.h"

#include <cstdint>
#include <cstdlib>
#include <new>

#include <c10/core/CPUAllocator.h>

namespace sightline {

namespace {

constexpr uintptr_t kAligned = 64;

class HostAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    if (size == 0) return {nullptr, nullptr, &std::free, at::kCPU};
    void* const block = std::malloc(size + kAligned);
    if (block == nullptr) throw std::bad_alloc();
    const uintptr_t begin = (reinterpret_cast<uintptr_t>(block) + kAligned - 1) / kAligned;
    return {reinterpret_cast<void*>(begin * kAligned), block, &std::free, at::kCPU};
  }
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
