#pragma once
// A step's gradients summed over the ranks while backward still makes them: in a step's last
// backward pass each bucket (train/gradient_buckets.h) sets out as soon as all its gradients are
// there, in the same order on all ranks, whatever each of them has touched.

#include "dist/world.h"
#include "train/optimizer.h"

#include <cstdint>
#include <vector>

namespace sightline {

class GradientExchange {
 public:
  // Both must outlive this, and all sums must be on every rank. The optimizer tells this what has
  // arrived as long as it lives.
  GradientExchange(World& world, Optimizer& optimizer, Travel travel);
  ~GradientExchange();
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  // The backward pass that follows is this rank's last of the step.
  void begin();
  // Sends off what has not gone by itself: before anything else that all ranks do together.
  void send_all();
  // Returns when all that was sent is summed.
  void finish();

 private:
  void arrived(size_t weight);
  void send_next();

  World& world_;
  Travel travel_;
  const Optimizer& optimizer_;
  const GradientBuckets& sums_;
  std::vector<int64_t> missing_;     // gradients that each bucket waits for
  std::vector<World::Finish> sent_;  // of the first buckets
  bool is_last_ = false;
};

}  // namespace sightline
