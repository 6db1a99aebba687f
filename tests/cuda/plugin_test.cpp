// The plugin as it is built, beside this test. Where LibTorch has all that CUDA asks for it loads,
// with or without a GPU.

#include "base/plugin.h"

#include "base/error.h"
#include "dist/nccl.h"

#include <chrono>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A group of one rank on the first GPU; or why there is none.
c10::intrusive_ptr<c10d::Backend> one_rank() {
  return make_nccl({.store = c10::make_intrusive<c10d::HashStore>(),
                    .timeout = 60s,
                    .device = at::Device(at::kCUDA, 0)});
}

TEST(CudaPlugin, MakesNcclOrTellsWhyNot) {
  const Plugin plugin = cuda_plugin();
  std::string complaint;
  c10::intrusive_ptr<c10d::Backend> nccl;
  try {
    nccl = one_rank();
  } catch (const Error& error) {
    complaint = error.what();
  }
  if (!plugin.is_loaded()) {
    EXPECT_THAT(complaint, HasSubstr(plugin.problem()));
    GTEST_SKIP() << "the plugin does not load: " << plugin.problem();
  }
  if (nccl == nullptr) {
    EXPECT_THAT(complaint, HasSubstr("NCCL cannot begin on cuda:0: "));
    EXPECT_THAT(complaint, HasSubstr("no GPUs found"));
    GTEST_SKIP() << "no GPU here";
  }
  nccl->eagerConnectSingleDevice(at::Device(at::kCUDA, 0));
  const at::Tensor tensor =
      at::full({1000}, 2.5, at::TensorOptions(at::kFloat).device(at::Device(at::kCUDA, 0)));
  std::vector<at::Tensor> list = {tensor};
  nccl->allreduce(list)->wait();
  EXPECT_EQ(tensor.sum().item<double>(), 2500);
  nccl->abort();
}

}  // namespace
}  // namespace sightline
