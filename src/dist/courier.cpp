#include "dist/courier.h"

#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>

namespace sightline {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kLook = 50us;    // between two looks whether a call has ended
constexpr auto kToAbort = 10s;  // for what is under way to end

[[noreturn]] void too_late(std::string_view what, std::chrono::milliseconds time) {
  throw std::runtime_error(
      fmt::format("{} has taken {:.0f} s", what, std::chrono::duration<double>(time).count()));
}

void wait_watching(c10d::Work& work, c10d::Work& watch, std::chrono::milliseconds silence) {
  const auto end = steady_clock::now() + silence;
  while (!work.isCompleted()) {
    const std::exception_ptr lost = watch.isCompleted() ? watch.exception() : nullptr;
    if (lost) std::rethrow_exception(lost);
    if (steady_clock::now() > end) too_late("a call", silence);
    std::this_thread::sleep_for(kLook);
  }
  work.wait();  // throws what it ended with, and puts the device's later work behind it
  watch.wait();
}

// On a thread that is left to itself where it takes longer: NCCL cannot be told to give up.
void within(std::chrono::milliseconds time, std::string_view what, std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  std::future<void> done = task.get_future();
  std::thread(std::move(task)).detach();
  if (done.wait_for(time) != std::future_status::ready) too_late(what, time);
  done.get();
}

}  // namespace

Courier::Courier(c10::intrusive_ptr<c10d::Backend> gloo) : backend_(std::move(gloo)) {}

Courier::Courier(c10::intrusive_ptr<c10d::Backend> backend, std::function<Work()> watch,
                 std::chrono::milliseconds silence)
    : backend_(std::move(backend)), watch_(std::move(watch)), silence_(silence) {}

Courier::Finish Courier::waits_for(const Work& work) const {
  if (!watch_) return [work] { work->wait(); };
  return [work, watch = watch_(), silence = silence_] { wait_watching(*work, *watch, silence); };
}

Courier::Finish Courier::sum(const at::Tensor& tensor) {
  std::vector<at::Tensor> list = {tensor};
  return waits_for(backend_->allreduce(list));
}

Courier::Finish Courier::sum_to(int owner, const at::Tensor& tensor) {
  c10d::ReduceOptions to;
  to.rootRank = owner;
  std::vector<at::Tensor> list = {tensor};
  return waits_for(backend_->reduce(list, to));
}

Courier::Finish Courier::share_from(int owner, const at::Tensor& tensor) {
  c10d::BroadcastOptions from;
  from.rootRank = owner;
  std::vector<at::Tensor> list = {tensor};
  return waits_for(backend_->broadcast(list, from));
}

void Courier::connect(at::Device device, std::chrono::milliseconds patience) {
  within(patience, "connecting the GPUs of all ranks",
         [backend = backend_, device] { backend->eagerConnectSingleDevice(device); });
}

void Courier::abort() noexcept {
  try {
    within(kToAbort, "ending what is under way", [backend = backend_] { backend->abort(); });
  } catch (const std::exception&) {
    // The caller has a failure to tell already, and this one follows from it.
  }
}

}  // namespace sightline
