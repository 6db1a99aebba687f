#pragma once
// A backend over Gloo that stands in for a device's where there is no such device: it writes down
// what it is asked for, and is as silent as NCCL where a rank is gone.

#include "dist/nccl.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <c10/core/ScalarType.h>
#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace sightline::test {

enum class Ending { in_time, never };  // of the stand-in's calls

class SilentWork : public c10d::Work {
 public:
  SilentWork(c10::intrusive_ptr<c10d::Work> work, Ending ending)
      : work_(std::move(work)), ending_(ending) {}
  bool isCompleted() override {
    return ending_ == Ending::in_time && (work_ == nullptr || (work_->isCompleted() && !failed()));
  }
  std::exception_ptr exception() const override { return nullptr; }
  bool wait(std::chrono::milliseconds) override { return work_ == nullptr || work_->wait(); }

 private:
  bool failed() const { return work_->exception() != nullptr; }

  c10::intrusive_ptr<c10d::Work> work_;  // null: there was nothing to do
  Ending ending_;
};

// "sum 12 Float on meta", one a call.
using Calls = std::shared_ptr<std::vector<std::string>>;

class StandIn : public c10d::Backend {
 public:
  StandIn(const BackendRequest& request, Calls calls, Ending ending)
      : Backend(request.rank, request.size), calls_(std::move(calls)), ending_(ending) {
    auto options = c10d::ProcessGroupGloo::Options::create(request.timeout);
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(request.store, request.rank, request.size,
                                                        options);
  }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override {
    return carry("sum", tensors, [&] { return gloo_->allreduce(tensors, options); });
  }
  c10::intrusive_ptr<c10d::Work> reduce(std::vector<at::Tensor>& tensors,
                                        const c10d::ReduceOptions& options) override {
    return carry("sum to one", tensors, [&] { return gloo_->reduce(tensors, options); });
  }
  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override {
    return carry("share", tensors, [&] { return gloo_->broadcast(tensors, options); });
  }

 private:
  // A tensor without memory goes nowhere.
  template <class Call>
  c10::intrusive_ptr<c10d::Work> carry(const char* what, const std::vector<at::Tensor>& tensors,
                                       const Call& call) {
    const at::Tensor& tensor = tensors.front();
    calls_->push_back(fmt::format("{} {} {} on {}", what, tensor.numel(),
                                  c10::toString(tensor.scalar_type()), tensor.device().str()));
    c10::intrusive_ptr<c10d::Work> work;
    if (!tensor.is_meta()) work = call();
    return c10::make_intrusive<SilentWork>(work, ending_);
  }

  Calls calls_;
  Ending ending_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
};

inline MakeBackend stand_in(Calls calls, Ending ending = Ending::in_time) {
  return [calls = std::move(calls), ending](const BackendRequest& request) {
    return c10::make_intrusive<StandIn>(request, calls, ending);
  };
}

}  // namespace sightline::test
