#include "train/gradient_exchange.h"

#include "base/error.h"

namespace sightline {

GradientExchange::GradientExchange(World& world, Optimizer& optimizer, Travel travel)
    : world_(world),
      travel_(travel),
      optimizer_(optimizer),
      sums_(optimizer.gradient_buckets([&](std::span<const SumShape> shapes, at::Device device) {
        return world.zeros_to_sum(shapes, device);
      })) {
  optimizer.on_arrival([this](size_t weight) { arrived(weight); });
}

GradientExchange::~GradientExchange() { optimizer_.on_arrival(nullptr); }

void GradientExchange::begin() {
  missing_.assign(sums_.buckets.size(), 0);
  for (const size_t bucket : sums_.bucket_of) ++missing_[bucket];
  is_last_ = true;
}

void GradientExchange::arrived(size_t weight) {
  if (!is_last_) return;
  int64_t& missing = missing_[sums_.bucket_of[weight]];
  SL_ASSERT(missing > 0, "gradient {} came twice in one backward pass", weight);
  --missing;
  while (sent_.size() < missing_.size() && missing_[sent_.size()] == 0) send_next();
}

void GradientExchange::send_next() {
  sent_.push_back(world_.begin_sum(sums_.buckets[sent_.size()], travel_, "summing gradients"));
}

void GradientExchange::send_all() {
  is_last_ = false;
  while (sent_.size() < sums_.buckets.size()) send_next();
}

void GradientExchange::finish() {
  for (const World::Finish& finish : sent_) finish();
  sent_.clear();
}

}  // namespace sightline
