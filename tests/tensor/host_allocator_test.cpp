#include "tensor/host_allocator.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(HostAllocator, GivesAlignedMemoryOfAnySize) {
  std::vector<c10::DataPtr> blocks;
  for (size_t size = 1; size < 5000; size += 37) {
    blocks.push_back(host_allocator().allocate(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().get()) % 64, 0u);
    std::memset(blocks.back().get(), 1, size);
  }
  EXPECT_EQ(host_allocator().allocate(0).get(), nullptr);
}

TEST(HostAllocator, ABlockFitsWhereOneOfItsSizeWas) {
  constexpr size_t kSize = 40'000;  // not one that glibc maps by itself
  std::vector<c10::DataPtr> blocks;
  blocks.reserve(128);  // its own memory takes no hole
  for (int i = 0; i < 64; ++i) blocks.push_back(host_allocator().allocate(kSize));
  std::vector<const void*> freed;
  freed.reserve(64);
  for (size_t i = 1; i < blocks.size(); i += 2) {  // each between two that stay
    freed.push_back(blocks[i].get());
    blocks[i].clear();
  }
  for (size_t i = 0; i < freed.size(); ++i) {
    blocks.push_back(host_allocator().allocate(kSize));
    EXPECT_TRUE(std::ranges::find(freed, blocks.back().get()) != freed.end()) << i;
  }
}

TEST(HostAllocator, GivesRawMemory) {
  void* const raw = host_allocator().raw_allocate(1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(raw) % 64, 0u);
  std::memset(raw, 1, 1000);
  host_allocator().raw_deallocate(raw);
}

TEST(HostAllocator, CopiesForLibTorch) {
  const c10::DataPtr from = host_allocator().allocate(100);
  std::memset(from.get(), 7, 100);
  const c10::DataPtr to = host_allocator().clone(from.get(), 100);
  EXPECT_EQ(std::memcmp(from.get(), to.get(), 100), 0);
}

}  // namespace
}  // namespace sightline
