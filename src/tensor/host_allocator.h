#pragma once
// Memory of tensors on the CPU, at addresses of 64 bytes, from the C library's heap. LibTorch asks
// for aligned memory, for which glibc (before 2.38) wants room for the alignment beside the block:
// none fits where one of its own size was freed, and a training step's tensors leave such holes by
// the hundred. Here every block is asked for with that room, so that it does.

#include <c10/core/Allocator.h>

namespace sightline {

c10::Allocator& host_allocator();

// From here on LibTorch's, for the whole program: before its first tensor.
void use_host_allocator();

}  // namespace sightline
