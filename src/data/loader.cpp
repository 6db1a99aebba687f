#include "data/loader.h"

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/log.h"
#include "data/deal.h"
#include "data/prepare.h"
#include "data/stream.h"
#include "data/worker_pool.h"

#include <algorithm>
#include <exception>
#include <future>
#include <stop_token>
#include <thread>
#include <utility>

namespace sightline {

namespace {

// A step whose batches are being made; or the stage's end (neither); or what went wrong.
struct Delivery {
  std::optional<LoadedStep> step;  // without its micro-batches
  std::vector<std::future<Batch>> micro_batches;
  int64_t predictions = 0;  // of those micro-batches
  std::exception_ptr error;
};

LoaderOptions checked(LoaderOptions options) {
  SL_ASSERT(!options.entries.empty(), "a loader without data");
  for (const LoaderEntry& entry : options.entries) {
    SL_ASSERT(entry.dataset != nullptr, "a loader's entry without a data set");
    SL_ASSERT(entry.dataset->size() > 0, "a loader's entry without examples");
    SL_ASSERT(options.store == nullptr || !entry.augment.any(), "stored pictures to be changed");
  }
  SL_ASSERT(options.step_tokens > 0 && options.micro_tokens > 0, "steps of no rows");
  SL_ASSERT(options.encoder != nullptr || options.patches_per_image > 0,
            "neither an encoder nor patches");
  options.look_ahead = std::max<int64_t>(1, options.look_ahead);
  SL_ASSERT(options.rank >= 0 && options.rank < options.ranks, "rank {} of {}", options.rank,
            options.ranks);
  options.workers = std::max<int64_t>(1, options.workers);
  options.prefetch = std::max<int64_t>(1, options.prefetch);
  return options;
}

}  // namespace

class Loader::Impl {
 public:
  Impl(LoaderOptions options, const Json* state)
      : options_(checked(std::move(options))),
        pool_(static_cast<size_t>(options_.workers)),
        steps_(options_, pool_, state),
        deliveries_(static_cast<size_t>(options_.prefetch)),
        producer_([this](const std::stop_token& stop) { produce(stop); }) {}

  // The producer may be waiting for a worker or for room: both end at once.
  ~Impl() {
    producer_.request_stop();
    pool_.stop();
  }

  std::optional<LoadedStep> next() {
    if (error_) std::rethrow_exception(error_);
    if (ended_) return std::nullopt;
    const double start = seconds_now();
    try {
      auto step = receive();
      ended_ = !step;
      waited_ += seconds_now() - start;
      return step;
    } catch (...) {
      error_ = std::current_exception();
      throw;
    }
  }

  double seconds_waited() const { return waited_; }

 private:
  void produce(const std::stop_token& stop) {
    try {
      while (auto packed = steps_.next()) {
        Delivery delivery{.step = std::move(packed->summary)};
        begin_batches(*packed, delivery);
        if (!deliveries_.push(std::move(delivery), stop)) return;
      }
      deliveries_.push({}, stop);
    } catch (...) {
      deliveries_.push({.error = std::current_exception()}, stop);
    }
  }

  // Those that this rank is dealt.
  void begin_batches(PackedStep& packed, Delivery& delivery) {
    std::vector<MicroBatchWork> work;
    std::vector<double> costs;
    for (const auto& samples : packed.micro_batches) {
      work.push_back(work_of(samples));
      costs.push_back(options_.cost ? options_.cost(work.back())
                                    : static_cast<double>(work.back().rows));
    }
    const std::vector<int64_t> owners = deal(costs, options_.ranks);
    for (size_t i = 0; i < owners.size(); ++i) {
      if (owners[i] != options_.rank) continue;
      delivery.step->numbers.push_back(static_cast<int64_t>(i));
      delivery.predictions += work[i].predictions;
      delivery.micro_batches.push_back(
          pool_.submit([this, samples = std::move(packed.micro_batches[i])]() mutable {
            return make_batch(options_, samples);
          }));
    }
  }

  std::optional<LoadedStep> receive() {
    Delivery delivery = std::move(deliveries_.pop(std::stop_token()).value());
    if (delivery.error) std::rethrow_exception(delivery.error);
    if (!delivery.step) return std::nullopt;
    LoadedStep& step = *delivery.step;
    int64_t predictions = 0;
    for (auto& future : delivery.micro_batches) {
      const Batch& batch = step.micro_batches.emplace_back(future.get());
      predictions += options_.encoder == nullptr ? batch.num_images() : batch.num_predictions();
    }
    // What other ranks' batches predict is counted before they are made.
    SL_ASSERT(predictions == delivery.predictions, "{} predictions, {} were counted", predictions,
              delivery.predictions);
    SL_ASSERT(step.num_predictions > 0, "a step of {} samples predicts nothing", step.num_samples);
    return std::move(delivery.step);
  }

  const LoaderOptions options_;
  WorkerPool pool_;
  StepStream steps_;  // the producer's alone
  BoundedQueue<Delivery> deliveries_;
  std::jthread producer_;
  bool ended_ = false;
  std::exception_ptr error_;
  double waited_ = 0;
};

Loader::Loader(LoaderOptions options, const Json* state)
    : impl_(std::make_unique<Impl>(std::move(options), state)) {}

Loader::~Loader() = default;

std::optional<LoadedStep> Loader::next() { return impl_->next(); }

double Loader::seconds_waited() const { return impl_->seconds_waited(); }

}  // namespace sightline
