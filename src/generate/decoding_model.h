#pragma once
// A model with its weights in the forms that decoding reads them in. Each form is made when it is
// first needed and kept: a single caption needs no packing, a batch no rounding.

#include "generate/device_steps.h"
#include "generate/rounded_matrices.h"
#include "generate/step_decoder.h"
#include "generate/step_weights.h"
#include "model/model.h"
#include "model/packed_matrices.h"
#include "recipe/recipe.h"

#include <memory>
#include <mutex>
#include <vector>

namespace sightline {

class DecodingModel {
 public:
  // `model` must outlive this, and its weights stay as they are.
  DecodingModel(const Model& model, DecodingWeights kind);

  const Model& model() const { return model_; }
  // For few rows on the CPU; null for numbers that the row kernels do not read (fp16, fp64).
  const StepDecoder* steps() const;
  // For any number of rows on a GPU, and the caller's alone until it is given back, which the
  // handle does; null where the device or the numbers have no such.
  struct GiveBack {
    const DecodingModel* to;
    void operator()(DeviceSteps* steps) const;
  };
  using LentSteps = std::unique_ptr<DeviceSteps, GiveBack>;
  LentSteps lend_device_steps() const;
  // For any number of rows. Of rounded weights: what they stand for, in the model's dtype, or
  // products whose rows are rounded too.
  const Matrices& matrices() const;
  // For prompts: the model's weights, but where rows are rounded.
  const Matrices& prompt_matrices() const;
  // Pixels [I, 3, h, w] of the model's dtype -> rows [I, R, D] of the language model.
  at::Tensor image_rows(const at::Tensor& pixels_ICHW) const;

 private:
  bool rounds_rows() const;
  const RoundedMatrices& rounded() const;
  const RoundedVisionMatrices& rounded_vision() const;

  const Model& model_;
  DecodingWeights kind_;
  // Made at first need; null for numbers that cannot be rounded.
  const StepWeights* weights() const;

  mutable std::once_flag weights_made_, steps_made_, matrices_made_, rounded_made_, vision_made_;
  mutable std::unique_ptr<StepWeights> weights_;
  mutable std::unique_ptr<StepDecoder> steps_;
  mutable std::unique_ptr<ParamMap> params_;        // where weights are rounded
  mutable std::unique_ptr<PlainMatrices> plain_;    // of params_
  mutable std::unique_ptr<PackedMatrices> packed_;  // where it pays
  // Where rows are rounded.
  mutable std::unique_ptr<RoundedMatrices> rounded_;
  mutable std::unique_ptr<RoundedVisionMatrices> rounded_vision_;
  // Those that nobody has now: before the matrices go that they read.
  mutable std::mutex device_steps_mutex_;
  mutable std::vector<std::unique_ptr<DeviceSteps>> device_steps_;
};

}  // namespace sightline
