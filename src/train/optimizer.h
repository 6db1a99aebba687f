#pragma once
// What moves a stage's trained parameters. AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101):
// one fused call a group. Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon): the
// matrices inside the layers move by their momentum made orthogonal (train/orthogonal.h), at a size
// like AdamW's (Liu et al. 2025, arXiv 2502.16982), so that one learning rate serves both;
// embeddings, the head, norms, biases and convolutions stay with AdamW. 16-bit weights have fp32
// masters, which the optimizer moves and from which the weights are copied; gradients of all
// micro-batches are summed in fp32. So a trained parameter takes 16 bytes beside its 16-bit weight
// (12 beside a 32-bit one, which is its own master): gradient, master and two moments, Muon's one
// moment less. A step adds a few dozen MiB of its own, whatever the model's size.

#include "recipe/recipe.h"
#include "tensor/param_map.h"
#include "train/part_norms.h"
#include "train/stored_tensor.h"
#include "train/weight_average.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class Optimizer {
 public:
  // Trains those parameters of `params` that require gradients. `params` must outlive this.
  Optimizer(const StageRecipe& stage, const ParamMap& params);

  // Sets all gradients to zero; backward passes then add to them.
  void zero_gradients();

  // A backward pass that leaves the sums alone: its gradients by parameter, undefined where the
  // loss doesn't depend on one. May run on several threads at once. What it gives is for
  // add_gradients().
  std::vector<at::Tensor> gradients_of(const at::Tensor& loss) const;
  void add_gradients(std::span<const at::Tensor> gradients);

  // The sums so far, in the order of trained().
  std::vector<at::Tensor> gradient_sums() const;
  PartNorms gradient_norms() const;

  // Clips to the stage's norm and moves the weights at `factor` of their peak rates. The norms of
  // what they changed by, weight decay included.
  PartNorms step(double factor, double gradient_norm);

  // Masters and moments by name, for checkpoints: "<parameter>.master|.first|.second|.step" (Muon:
  // master and first).
  ParamMap state() const;
  // Takes back what state() gave.
  void restore(const StoredTensor& stored);

  // What it moves, in a fixed order.
  std::vector<TrainedParameter> trained() const;

  int64_t num_parameters() const;

 private:
  struct Slot {
    std::string name;
    at::Tensor weight;               // the model's leaf
    at::Tensor master;               // fp32; the weight itself where it is fp32 already
    at::Tensor first, second, step;  // moments; Muon has the first alone
    double rate = 0, decay = 0;
    bool muon = false;
  };
  void step_adamw(double factor, PartSquares& changes);
  void step_muon(double factor, PartSquares& changes);
  void step_muon(double factor, std::span<Slot* const> slots, PartSquares& changes);

  StageRecipe stage_;
  std::vector<Slot> slots_;
};

}  // namespace sightline
