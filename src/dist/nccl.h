#pragma once
// How tensors on a GPU travel between ranks: by NCCL, which is reached through the plugin of
// src/cuda.

#include <chrono>
#include <functional>

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace sightline {

// What a rank needs to join the process group that moves one device's tensors.
struct BackendRequest {
  c10::intrusive_ptr<c10d::Store> store;  // where the ranks find each other, this group's alone
  int rank = 0, size = 1;
  std::chrono::milliseconds timeout{0};  // of a call
  at::Device device = at::kCPU;
};

// Makes this rank's side of the group. The ranks connect later, by eagerConnectSingleDevice().
using MakeBackend = std::function<c10::intrusive_ptr<c10d::Backend>(const BackendRequest&)>;

// NCCL's. An Error where the plugin, what it needs or the GPU is missing says which, and what to
// do.
c10::intrusive_ptr<c10d::Backend> make_nccl(const BackendRequest& request);

// What the plugin exports for it, under this name.
using NcclFactory = void(const BackendRequest& request, c10::intrusive_ptr<c10d::Backend>& made);
inline constexpr const char* kNcclFactory = "sightline_make_nccl";

}  // namespace sightline
