#include "train/weight_average.h"

#include <algorithm>
#include <cmath>

#include <c10/core/GradMode.h>

namespace sightline {

namespace {

constexpr int64_t kPiece = 1 << 22;  // numbers: bounds what a step takes beside the averages

void exchange(at::Tensor weight, at::Tensor average) {
  const at::Tensor kept = weight.detach().clone();
  weight.copy_(average);
  average.copy_(kept);
}

}  // namespace

WeightAverage::WeightAverage(double decay, std::vector<TrainedParameter> trained)
    : decay_(decay), trained_(std::move(trained)) {
  for (const TrainedParameter& each : trained_) {
    averages_.push_back(each.master.numbers().clone());
  }
}

void WeightAverage::update(int64_t step) {
  const c10::NoGradGuard no_grad;
  const double share = (1.0 - decay_) / (1.0 - std::pow(decay_, static_cast<double>(step)));
  for (size_t i = 0; i < trained_.size(); ++i) {
    const at::Tensor average = averages_[i].view({-1});
    for (int64_t begin = 0; begin < average.numel(); begin += kPiece) {
      const int64_t count = std::min(kPiece, average.numel() - begin);
      average.narrow(0, begin, count)
          .lerp_(trained_[i].master.piece(begin, count).numbers(), share);
    }
  }
}

void WeightAverage::put_in() {
  const c10::NoGradGuard no_grad;
  kept_.clear();
  for (size_t i = 0; i < trained_.size(); ++i) {
    at::Tensor weight = trained_[i].master.weight;
    if (trained_[i].master.is_weight()) {
      exchange(weight, averages_[i]);
    } else {
      kept_.push_back(weight.detach().clone());
      weight.copy_(averages_[i]);
    }
  }
}

void WeightAverage::put_back() {
  const c10::NoGradGuard no_grad;
  auto kept = kept_.begin();
  for (size_t i = 0; i < trained_.size(); ++i) {
    at::Tensor weight = trained_[i].master.weight;
    if (trained_[i].master.is_weight()) {
      exchange(weight, averages_[i]);
    } else {
      weight.copy_(*kept++);
    }
  }
  kept_.clear();
}

ParamMap WeightAverage::state() const {
  ParamMap state;
  for (size_t i = 0; i < trained_.size(); ++i) {
    state.add(trained_[i].name + ".average", averages_[i]);
  }
  return state;
}

void WeightAverage::restore(const StoredTensor& stored) {
  const c10::NoGradGuard no_grad;
  for (size_t i = 0; i < trained_.size(); ++i) {
    copy_stored(stored, trained_[i].name + ".average", averages_[i]);
  }
}

}  // namespace sightline
