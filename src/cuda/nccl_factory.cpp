// NCCL's process group, for the program that has loaded this plugin.

#include "dist/nccl.h"

#include <utility>

#include <c10/util/env.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

extern "C" void sightline_make_nccl(const sightline::BackendRequest& request,
                                    c10::intrusive_ptr<c10d::Backend>& made) {
  // No thread of c10d's that watches over the calls: it ends the process where one fails. We look
  // ourselves whether they are done, and make an Error of what they ended with (dist/courier.cpp).
  c10::utils::set_env("TORCH_NCCL_BLOCKING_WAIT", "1");
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = request.timeout;
  auto nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(request.store, request.rank, request.size,
                                                          std::move(options));
  nccl->setBoundDeviceId(request.device);
  made = std::move(nccl);
}

static_assert(std::is_same_v<decltype(sightline_make_nccl), sightline::NcclFactory>);
