#include "dist/world.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "dist/buckets.h"
#include "dist/group.h"

#include <exception>
#include <stop_token>
#include <thread>
#include <utility>

#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <fmt/ranges.h>

namespace sightline {

namespace {

std::string text_of(const std::exception& error) {
  const auto* ours = dynamic_cast<const c10::Error*>(&error);
  const std::string text = ours != nullptr ? ours->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

World::World() = default;

World::World(const Place& place, const WorldOptions& options) : place_(place), options_(options) {
  if (place.size == 1) return;
  try {
    group_ = std::make_unique<Group>(place, options);
    group_->barrier();
    group_->connect_device();
  } catch (const Error& error) {
    tell_failure(error.what());
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

std::vector<at::Tensor> World::zeros_to_sum(std::span<const SumShape> shapes, at::Device device) {
  if (size() == 1 || !device.is_cpu()) return zeros_of(shapes, device);
  std::vector<at::Tensor> tensors;
  together("sharing memory", [&](Group& group) { tensors = group.zeros_to_sum(shapes); });
  return tensors;
}

World::Finish World::begin_sum(const at::Tensor& tensor, Travel travel, std::string_view doing) {
  if (size() == 1) return [] {};
  SL_ASSERT(tensor.is_contiguous(), "{}: a tensor with gaps", doing);
  Finish finish;
  together(doing, [&](Group& group) {
    if (auto shared = group.shared_of(tensor)) {
      finish = group.begin_sum(std::move(shared), tensor);
    } else {
      finish = group.begin_sum(tensor, travel);
      count_bytes(std::span(&tensor, 1), travel, 2);
    }
  });
  return [this, finish = std::move(finish), doing = std::string(doing)] {
    together(doing, [&](Group&) { finish(); });
  };
}

// So few that what this takes is the wait for the last of the ranks.
std::vector<double> World::sum(std::vector<double> numbers, std::string_view doing) {
  if (size() == 1) return numbers;
  const double before = exchanged_.seconds;
  together(doing, [&](Group& group) { numbers = group.sum(std::move(numbers)); });
  exchanged_.waited += exchanged_.seconds - before;
  return numbers;
}

void World::sum_to_owners(const ByOwner& tensors, Travel travel, std::string_view doing) {
  if (size() == 1) return;
  SL_ASSERT(std::ssize(tensors) == size(), "{} owners", tensors.size());
  together(doing, [&](Group& group) {
    for (int64_t owner = 0; owner < size(); ++owner) {
      group.sum_to(static_cast<int>(owner), tensors[static_cast<size_t>(owner)], travel);
    }
  });
  for (const std::vector<at::Tensor>& list : tensors) count_bytes(list, travel, 1);
}

void World::share_from_owners(const ByOwner& tensors, std::string_view doing) {
  if (size() == 1) return;
  SL_ASSERT(std::ssize(tensors) == size(), "{} owners", tensors.size());
  together(doing, [&](Group& group) {
    for (int64_t owner = 0; owner < size(); ++owner) {
      group.share_from(static_cast<int>(owner), tensors[static_cast<size_t>(owner)]);
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
      texts[static_cast<size_t>(owner)] = group.broadcast(text, static_cast<int>(owner));
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
    if (is_first()) {
      group.tell_done();
    } else {
      while (group.is_at_work()) {
      }
    }
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
