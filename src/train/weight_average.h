#pragma once
// A running average of the weights that a stage trains (Polyak averaging with decay d, as EMA is
// mostly meant): after step t of the stage
//
//     average = sum over k = 1..t of d^(t-k) w_k / sum over k = 1..t of d^(t-k),
//
// so the weights that the stage began with count for nothing, however few its steps. Before the
// first step the average is the weights. In fp32: 4 bytes a trained parameter.

#include "tensor/param_map.h"
#include "train/master.h"
#include "train/stored_tensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

struct TrainedParameter {
  std::string name;
  Master master;  // of the model's leaf
};

class WeightAverage {
 public:
  WeightAverage(double decay, std::vector<TrainedParameter> trained);

  // Takes in the weights after the stage's step `step`, counted from 1.
  void update(int64_t step);

  // Puts the averages where the model's weights are; put_back() undoes it to the bit. Between the
  // two nothing but the model's weights may be looked at.
  void put_in();
  void put_back();

  // "<parameter>.average", for checkpoints.
  ParamMap state() const;
  void restore(const StoredTensor& stored);

 private:
  double decay_;
  std::vector<TrainedParameter> trained_;
  std::vector<at::Tensor> averages_;
  std::vector<at::Tensor> kept_;  // while averages stand in: the bf16 weights
};

}  // namespace sightline
