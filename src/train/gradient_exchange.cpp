#include "train/gradient_exchange.h"

#include "base/error.h"

#include <memory>

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace sightline {

// Called when a backward pass has added to a weight's gradient.
class GradientExchange::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientExchange& exchange, size_t weight) : exchange_(exchange), weight_(weight) {}
  void operator()(const at::Tensor&) override { exchange_.arrived(weight_); }

 private:
  GradientExchange& exchange_;
  size_t weight_;
};

GradientExchange::GradientExchange(World& world, const Optimizer& optimizer, Travel travel)
    : world_(world),
      travel_(travel),
      weights_(optimizer.weights()),
      sums_(optimizer.gradient_buckets()) {
  SL_ASSERT(sums_.bucket_of.size() == weights_.size(), "sums of all gradients are on no rank");
  for (size_t i = 0; i < weights_.size(); ++i) {
    torch::autograd::impl::set_post_acc_grad_hooks(weights_[i], std::make_unique<Hook>(*this, i));
  }
}

GradientExchange::~GradientExchange() {
  for (const at::Tensor& weight : weights_) {
    torch::autograd::impl::set_post_acc_grad_hooks(weight, nullptr);
  }
}

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
