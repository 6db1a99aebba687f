#include "dist/group.h"

#include "base/error.h"
#include "base/log.h"
#include "dist/buckets.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace sightline {

namespace {

constexpr size_t kInFlight = 2;  // buckets: one is copied while the other travels

enum class News : int64_t { at_work, done };  // of rank 0 to those who wait for it

// What `make` gives; null where the system refuses, which the log tells.
template <class Make>
std::unique_ptr<SharedMemory> or_null(const Make& make) {
  try {
    return make();
  } catch (const Error& error) {
    log("{}: gradients travel by sockets", error.what());
    return nullptr;
  }
}

// Empty: the device's tensors travel by Gloo.
MakeBackend backend_maker(const WorldOptions& options) {
  if (options.make_backend) return options.make_backend;
  return options.device.is_cuda() ? make_nccl : MakeBackend();
}

}  // namespace

World::Group::Group(const Place& place, const WorldOptions& options)
    : options_(options), place_(place), meeting_(place, options.patience) {
  // Gloo writes to sockets whose peer may be gone, and counts on an error code.
  std::signal(SIGPIPE, SIG_IGN);
  auto gloo_options = c10d::ProcessGroupGloo::Options::create(options.silence);
  gloo_options->devices.push_back(
      c10d::ProcessGroupGloo::createDeviceForHostname(meeting_.own_address()));
  gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
      meeting_.store(), static_cast<int>(place.rank), static_cast<int>(place.size), gloo_options);
  by_gloo_ = std::make_unique<Courier>(gloo_);
}

World::Group::~Group() { disconnect(); }

void World::Group::connect_device() {
  const MakeBackend make = backend_maker(options_);
  if (!make) return;
  // Over a connection of its own: where a rank waits there for another, the meeting's stays free.
  auto store = c10::make_intrusive<c10d::PrefixStore>("device", meeting_.store()->clone());
  auto backend = make({.store = store,
                       .rank = static_cast<int>(place_.rank),
                       .size = static_cast<int>(place_.size),
                       .timeout = options_.silence,
                       .device = options_.device});
  barrier();
  auto watch = [gloo = gloo_.get()] {
    std::vector<at::Tensor> nothing = {at::zeros({1}, at::kFloat)};
    return gloo->allreduce(nothing);
  };
  by_device_ = std::make_unique<Courier>(std::move(backend), watch, options_.silence);
  by_device_->connect(options_.device, options_.patience);
}

void World::Group::disconnect() {
  if (by_device_ != nullptr) by_device_->abort();
  by_device_.reset();
  by_gloo_.reset();
  gloo_.reset();
}

Courier& World::Group::courier_of(const at::Tensor& tensor) {
  if (by_device_ != nullptr && tensor.device().type() == options_.device.type()) return *by_device_;
  SL_ASSERT(tensor.is_cpu(), "a tensor on {} among ranks on {}", tensor.device().str(),
            options_.device.str());
  return *by_gloo_;
}

void World::Group::sum(std::span<const at::Tensor> tensors) {
  struct Travelling {
    Bucket bucket;
    at::Tensor flat;
    Finish finish;
  };
  std::deque<Travelling> travelling;
  const auto receive = [&] {
    const Travelling& first = travelling.front();
    first.finish();
    unpack(first.flat, tensors, first.bucket);
    travelling.pop_front();
  };
  for (const Bucket& bucket : make_buckets(tensors, options_.bucket_numbers)) {
    if (travelling.size() == kInFlight) receive();
    const at::Tensor flat = packed(tensors, bucket);
    travelling.push_back({bucket, flat, courier_of(flat).sum(flat)});
  }
  while (!travelling.empty()) receive();
}

std::vector<double> World::Group::sum(std::vector<double> numbers) {
  const at::Tensor tensor = at::tensor(numbers, at::kDouble);
  by_gloo_->sum(tensor)();
  const double* first = tensor.const_data_ptr<double>();
  return {first, first + numbers.size()};
}

std::shared_ptr<SharedSums> World::Group::share_memory(size_t bytes) {
  if (options_.neighbours == Neighbours::by_sockets || bytes == 0) return nullptr;
  auto own = or_null([&] { return std::make_unique<SharedMemory>(bytes); });
  const std::string own_address = own == nullptr ? "" : own->address();
  std::vector<std::unique_ptr<SharedMemory>> by_rank;
  double missing = 0;
  for (int rank = 0; rank < place_.size; ++rank) {
    const std::string address = broadcast(own_address, rank);
    const auto reach = [&] {
      if (rank == place_.rank) return std::move(own);
      return address.empty() ? nullptr : SharedMemory::open(address);
    };
    by_rank.push_back(or_null(reach));
    if (by_rank.back() == nullptr) ++missing;
  }
  if (sum(std::vector<double>{missing}).front() > 0) return nullptr;
  return std::make_shared<SharedSums>(std::move(by_rank), place_.rank);
}

std::vector<at::Tensor> World::Group::zeros_to_sum(std::span<const SumShape> shapes) {
  std::erase_if(shared_, [](const auto& sums) { return sums.expired(); });
  if (const auto sums = share_memory(shared_bytes(shapes))) {
    shared_.push_back(sums);
    return sums->tensors(shapes);
  }
  return zeros_of(shapes, at::kCPU);
}

std::shared_ptr<const SharedSums> World::Group::shared_of(const at::Tensor& tensor) const {
  for (const auto& weak : shared_) {
    if (auto sums = weak.lock(); sums != nullptr && sums->has(tensor)) return sums;
  }
  return nullptr;
}

World::Finish World::Group::begin_sum(const at::Tensor& tensor, Travel travel) {
  const bool halved = travel == Travel::bf16 && tensor.scalar_type() == at::kFloat;
  const at::Tensor travels = halved ? tensor.to(at::kBFloat16) : tensor;
  return [tensor, travels, finish = courier_of(travels).sum(travels)] {
    finish();
    if (!travels.is_same(tensor)) tensor.copy_(travels);
  };
}

World::Finish World::Group::begin_sum(std::shared_ptr<const SharedSums> shared,
                                      const at::Tensor& tensor) {
  const auto meet = [this] { return by_gloo_->sum(at::zeros({1}, at::kFloat)); };
  return [tensor, meet, shared = std::move(shared), ready = meet()] {
    ready();
    shared->add_up(tensor);
    meet()();
  };
}

void World::Group::sum_to(int owner, std::span<const at::Tensor> tensors, Travel travel) {
  for (const Bucket& bucket : make_buckets(tensors, options_.bucket_numbers, travel)) {
    const at::Tensor flat = packed(tensors, bucket);
    courier_of(flat).sum_to(owner, flat)();
    if (owner == place_.rank) unpack(flat, tensors, bucket);
  }
}

void World::Group::share_from(int owner, std::span<const at::Tensor> tensors) {
  for (const Bucket& bucket : make_buckets(tensors, options_.bucket_numbers, Travel::as_they_are)) {
    const at::Tensor flat = packed(tensors, bucket);
    courier_of(flat).share_from(owner, flat)();
    if (owner != place_.rank) unpack(flat, tensors, bucket);
  }
}

void World::Group::broadcast(const at::Tensor& tensor) {
  const at::Tensor travels = tensor.contiguous();
  courier_of(travels).share_from(0, travels)();
  if (!travels.is_same(tensor)) tensor.copy_(travels);
}

int64_t World::Group::broadcast(int64_t number, int owner) {
  const at::Tensor tensor = at::tensor(at::ArrayRef<int64_t>(number), at::kLong);
  by_gloo_->share_from(owner, tensor)();
  return tensor.item<int64_t>();
}

std::string World::Group::broadcast(std::string text, int owner) {
  text.resize(static_cast<size_t>(broadcast(static_cast<int64_t>(text.size()), owner)));
  if (text.empty()) return text;
  const at::Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
  std::memcpy(bytes.data_ptr(), text.data(), text.size());
  by_gloo_->share_from(owner, bytes)();
  std::memcpy(text.data(), bytes.data_ptr(), text.size());
  return text;
}

void World::Group::barrier() { gloo_->barrier()->wait(); }

void World::Group::tell_at_work(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  const auto pause =
      std::min<std::chrono::milliseconds>(std::chrono::seconds(2), options_.silence / 4);
  while (!changed.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
    broadcast(static_cast<int64_t>(News::at_work));
  }
}

void World::Group::tell_done() { broadcast(static_cast<int64_t>(News::done)); }

bool World::Group::is_at_work() {
  return broadcast(static_cast<int64_t>(News::at_work)) == static_cast<int64_t>(News::at_work);
}

}  // namespace sightline
