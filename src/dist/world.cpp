#include "dist/world.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "dist/buckets.h"
#include "dist/meeting.h"

#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <fmt/ranges.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace sightline {

namespace {

constexpr size_t kInFlight = 2;  // buckets: one is copied while the other travels

enum class News : int64_t { at_work, done };  // of rank 0 to those who wait for it

std::string text_of(const std::exception& error) {
  const auto* ours = dynamic_cast<const c10::Error*>(&error);
  const std::string text = ours != nullptr ? ours->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

// The process group, and the meeting place that outlives it.
class World::Group {
 public:
  Group(const Place& place, const WorldOptions& options)
      : options_(options), meeting_(place, options.patience) {
    // Gloo writes to sockets whose peer may be gone, and counts on an error code.
    std::signal(SIGPIPE, SIG_IGN);
    auto gloo_options = c10d::ProcessGroupGloo::Options::create(options.silence);
    gloo_options->devices.push_back(
        c10d::ProcessGroupGloo::createDeviceForHostname(meeting_.own_address()));
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
        meeting_.store(), static_cast<int>(place.rank), static_cast<int>(place.size), gloo_options);
  }

  Meeting& meeting() { return meeting_; }
  // Ends the connections, so that ranks that wait for this one learn of it.
  void disconnect() { gloo_.reset(); }

  void sum(std::span<const at::Tensor> tensors) {
    struct Travelling {
      Bucket bucket;
      std::vector<at::Tensor> flat;
      c10::intrusive_ptr<c10d::Work> work;
    };
    std::deque<Travelling> travelling;
    const auto receive = [&] {
      travelling.front().work->wait();
      unpack(travelling.front().flat.front(), tensors, travelling.front().bucket);
      travelling.pop_front();
    };
    for (const Bucket& bucket : make_buckets(tensors, options_.bucket_numbers)) {
      if (travelling.size() == kInFlight) receive();
      Travelling& next = travelling.emplace_back(Travelling{bucket, {packed(tensors, bucket)}, {}});
      next.work = gloo_->allreduce(next.flat);
    }
    while (!travelling.empty()) receive();
  }

  Finish begin_sum(const at::Tensor& tensor, Travel travel) {
    const bool halved = travel == Travel::bf16 && tensor.scalar_type() == at::kFloat;
    std::vector<at::Tensor> travels = {halved ? tensor.to(at::kBFloat16) : tensor};
    auto work = gloo_->allreduce(travels);
    return [tensor, travels = std::move(travels), work = std::move(work)] {
      work->wait();
      if (!travels.front().is_same(tensor)) tensor.copy_(travels.front());
    };
  }

  void sum_to(int owner, bool is_own, std::span<const at::Tensor> tensors, Travel travel) {
    c10d::ReduceOptions to;
    to.rootRank = owner;
    for (const Bucket& bucket : make_buckets(tensors, options_.bucket_numbers, travel)) {
      std::vector<at::Tensor> flat = {packed(tensors, bucket)};
      gloo_->reduce(flat, to)->wait();
      if (is_own) unpack(flat.front(), tensors, bucket);
    }
  }

  void share_from(int owner, bool is_own, std::span<const at::Tensor> tensors) {
    c10d::BroadcastOptions from;
    from.rootRank = owner;
    for (const Bucket& bucket :
         make_buckets(tensors, options_.bucket_numbers, Travel::as_they_are)) {
      std::vector<at::Tensor> flat = {packed(tensors, bucket)};
      gloo_->broadcast(flat, from)->wait();
      if (!is_own) unpack(flat.front(), tensors, bucket);
    }
  }

  void broadcast(const at::Tensor& tensor, int64_t owner = 0) {
    c10d::BroadcastOptions from;
    from.rootRank = owner;
    std::vector<at::Tensor> list = {tensor.contiguous()};
    gloo_->broadcast(list, from)->wait();
    if (!list.front().is_same(tensor)) tensor.copy_(list.front());
  }

  int64_t broadcast(int64_t number, int64_t owner = 0) {
    const at::Tensor tensor = at::tensor(at::ArrayRef<int64_t>(number), at::kLong);
    broadcast(tensor, owner);
    return tensor.item<int64_t>();
  }

  std::string broadcast(std::string text, int64_t owner = 0) {
    text.resize(static_cast<size_t>(broadcast(static_cast<int64_t>(text.size()), owner)));
    if (text.empty()) return text;
    const at::Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
    std::memcpy(bytes.data_ptr(), text.data(), text.size());
    broadcast(bytes, owner);
    std::memcpy(text.data(), bytes.data_ptr(), text.size());
    return text;
  }

  void barrier() { gloo_->barrier()->wait(); }

  // Tells those who wait, now and then, that there is nothing yet.
  void tell_at_work(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    const auto pause =
        std::min<std::chrono::milliseconds>(std::chrono::seconds(2), options_.silence / 4);
    while (!changed.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
      broadcast(static_cast<int64_t>(News::at_work));
    }
  }

 private:
  WorldOptions options_;
  Meeting meeting_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
};

World::World() = default;

World::World(const Place& place, const WorldOptions& options) : place_(place), options_(options) {
  if (place.size == 1) return;
  try {
    group_ = std::make_unique<Group>(place, options);
    group_->barrier();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (group_ != nullptr) lost("joining the ranks", text_of(error));
    fail("rank {} of {}: cannot connect to the other ranks: {}", place.rank, place.size,
         text_of(error));
  }
}

World::~World() = default;

std::string World::name_of(int64_t rank) const {
  if (group_ == nullptr) return fmt::format("rank {}", rank);
  return fmt::format("rank {} on {}", rank, group_->meeting().hosts()[static_cast<size_t>(rank)]);
}

void World::together(std::string_view doing, const std::function<void(Group&)>& call) {
  SL_ASSERT(group_ != nullptr, "{}: rank {} is not joined to the others any more", doing, rank());
  const double began = seconds_now();
  try {
    const c10::NoGradGuard no_grad;
    call(*group_);
  } catch (const std::exception& error) {
    lost(doing, text_of(error));
  }
  exchanged_.seconds += seconds_now() - began;
}

// `share`: of (ranks - 1) / ranks of the tensors' bytes.
void World::count_bytes(std::span<const at::Tensor> tensors, Travel travel, double share) {
  const double others = static_cast<double>(size() - 1) / static_cast<double>(size());
  for (const Bucket& bucket : make_buckets(tensors, options_.bucket_numbers, travel)) {
    exchanged_.bytes += share * others * static_cast<double>(bucket.numbers) *
                        static_cast<double>(c10::elementSize(bucket.dtype));
  }
}

void World::lost(std::string_view doing, const std::string& reason) {
  group_->disconnect();
  const RollCall call = group_->meeting().roll_call();
  const std::string when = step_ < 0 ? "" : fmt::format(", after step {}", step_);
  std::vector<std::string> told, silent;
  for (const auto& [rank, message] : call.told) {
    told.push_back(fmt::format("{} failed: {}", name_of(rank), message));
  }
  for (const int64_t rank : call.silent) silent.push_back(name_of(rank));
  std::string message = fmt::format("{}: ", name_of(rank()));
  if (!told.empty()) {
    message += fmt::format("ends while {}{}: {}", doing, when, fmt::join(told, "; "));
  } else if (!silent.empty()) {
    message += fmt::format("lost {} while {}{}: gone, or silent for {:.0f} s ({})",
                           fmt::join(silent, " and "), doing, when,
                           std::chrono::duration<double>(options_.silence).count(), reason);
  } else {
    message += fmt::format("lost touch with the other ranks while {}{}: {}", doing, when, reason);
  }
  group_.reset();
  throw Error(message);
}

void World::sum(std::span<const at::Tensor> tensors, std::string_view doing) {
  if (size() == 1) return;
  together(doing, [&](Group& group) { group.sum(tensors); });
  count_bytes(tensors, Travel::full, 2);
}

World::Finish World::begin_sum(const at::Tensor& tensor, Travel travel, std::string_view doing) {
  if (size() == 1) return [] {};
  SL_ASSERT(tensor.is_contiguous(), "{}: a tensor with gaps", doing);
  Finish finish;
  together(doing, [&](Group& group) { finish = group.begin_sum(tensor, travel); });
  count_bytes(std::span(&tensor, 1), travel, 2);
  return [this, finish = std::move(finish), doing = std::string(doing)] {
    together(doing, [&](Group&) { finish(); });
  };
}

// So few that what this takes is the wait for the last of the ranks.
std::vector<double> World::sum(std::vector<double> numbers, std::string_view doing) {
  if (size() == 1) return numbers;
  const at::Tensor tensor = at::tensor(numbers, at::kDouble);
  const double before = exchanged_.seconds;
  sum(std::span(&tensor, 1), doing);
  exchanged_.waited += exchanged_.seconds - before;
  const double* first = tensor.const_data_ptr<double>();
  return {first, first + numbers.size()};
}

void World::sum_to_owners(const ByOwner& tensors, Travel travel, std::string_view doing) {
  if (size() == 1) return;
  SL_ASSERT(std::ssize(tensors) == size(), "{} owners", tensors.size());
  together(doing, [&](Group& group) {
    for (int64_t owner = 0; owner < size(); ++owner) {
      group.sum_to(static_cast<int>(owner), owner == rank(), tensors[static_cast<size_t>(owner)],
                   travel);
    }
  });
  for (const std::vector<at::Tensor>& list : tensors) count_bytes(list, travel, 1);
}

void World::share_from_owners(const ByOwner& tensors, std::string_view doing) {
  if (size() == 1) return;
  SL_ASSERT(std::ssize(tensors) == size(), "{} owners", tensors.size());
  together(doing, [&](Group& group) {
    for (int64_t owner = 0; owner < size(); ++owner) {
      group.share_from(static_cast<int>(owner), owner == rank(),
                       tensors[static_cast<size_t>(owner)]);
    }
  });
  for (const std::vector<at::Tensor>& list : tensors) count_bytes(list, Travel::as_they_are, 1);
}

void World::broadcast(std::span<const at::Tensor> tensors, std::string_view doing) {
  if (size() == 1) return;
  together(doing, [&](Group& group) {
    for (const at::Tensor& tensor : tensors) group.broadcast(tensor);
  });
}

std::string World::broadcast(std::string text, std::string_view doing) {
  if (size() == 1) return text;
  together(doing, [&](Group& group) { text = group.broadcast(std::move(text)); });
  return text;
}

std::vector<std::string> World::gather(std::string text, std::string_view doing) {
  if (size() == 1) return {std::move(text)};
  std::vector<std::string> texts(static_cast<size_t>(size()));
  together(doing, [&](Group& group) {
    for (int64_t owner = 0; owner < size(); ++owner) {
      texts[static_cast<size_t>(owner)] = group.broadcast(text, owner);
    }
  });
  return texts;
}

void World::barrier(std::string_view doing) {
  if (size() == 1) return;
  together(doing, [](Group& group) { group.barrier(); });
}

std::string World::first_does(std::string_view doing, const std::function<std::string()>& work) {
  if (size() == 1) return work();
  std::string result;
  std::exception_ptr broken;  // what the teller met
  if (is_first()) {
    SL_ASSERT(group_ != nullptr, "{}: rank 0 is not joined to the others any more", doing);
    const std::jthread teller([&](const std::stop_token& stop) {
      try {
        group_->tell_at_work(stop);
      } catch (...) {
        broken = std::current_exception();
      }
    });
    result = work();
  }
  together(doing, [&](Group& group) {
    if (broken) std::rethrow_exception(broken);
    int64_t news = static_cast<int64_t>(is_first() ? News::done : News::at_work);
    do {
      news = group.broadcast(news);
    } while (news == static_cast<int64_t>(News::at_work));
    result = group.broadcast(std::move(result));
  });
  return result;
}

void World::check_same(std::string_view what, std::string_view text) {
  if (size() == 1) return;
  std::vector<double> keys(static_cast<size_t>(size()), 0.0);
  // As many bits as a double holds.
  keys[static_cast<size_t>(rank())] =
      static_cast<double>(std::stoull(content_key(text).substr(0, 13), nullptr, 16));
  keys = sum(std::move(keys), fmt::format("comparing {}", what));
  std::vector<std::string> others;
  for (int64_t other = 1; other < size(); ++other) {
    if (keys[static_cast<size_t>(other)] != keys[0]) others.push_back(name_of(other));
  }
  check(others.empty(), "{} is not the same on all ranks: {} has another than {}", what,
        fmt::join(others, ", "), name_of(0));
}

void World::tell_failure(const std::string& message) {
  if (group_ == nullptr) return;
  group_->meeting().tell_failure(message);
  group_.reset();  // and now the others' calls end
}

}  // namespace sightline
