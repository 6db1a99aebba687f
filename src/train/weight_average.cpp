#include "train/weight_average.h"

#include <cmath>

#include <ATen/ops/_foreach_lerp.h>
#include <c10/core/GradMode.h>

namespace sightline {

namespace {

bool is_own_master(const TrainedParameter& each) { return each.weight.is_alias_of(each.master); }

void exchange(at::Tensor weight, at::Tensor average) {
  const at::Tensor kept = weight.detach().clone();
  weight.copy_(average);
  average.copy_(kept);
}

}  // namespace

WeightAverage::WeightAverage(double decay, std::vector<TrainedParameter> trained)
    : decay_(decay), trained_(std::move(trained)) {
  for (const TrainedParameter& each : trained_) {
    averages_.push_back(each.master.detach().clone());
  }
}

void WeightAverage::update(int64_t step) {
  const c10::NoGradGuard no_grad;
  const double share = (1.0 - decay_) / (1.0 - std::pow(decay_, static_cast<double>(step)));
  std::vector<at::Tensor> masters;
  for (const TrainedParameter& each : trained_) masters.push_back(each.master.detach());
  at::_foreach_lerp_(averages_, masters, share);
}

void WeightAverage::put_in() {
  const c10::NoGradGuard no_grad;
  for (size_t i = 0; i < trained_.size(); ++i) {
    if (is_own_master(trained_[i])) {
      exchange(trained_[i].weight, averages_[i]);
    } else {
      trained_[i].weight.copy_(averages_[i]);
    }
  }
}

void WeightAverage::put_back() {
  const c10::NoGradGuard no_grad;
  for (size_t i = 0; i < trained_.size(); ++i) {
    if (is_own_master(trained_[i])) {
      exchange(trained_[i].weight, averages_[i]);
    } else {
      trained_[i].weight.copy_(trained_[i].master);
    }
  }
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
