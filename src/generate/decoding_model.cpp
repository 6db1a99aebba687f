#include "generate/decoding_model.h"

#include "base/error.h"

#include <utility>

namespace sightline {

DecodingModel::DecodingModel(const Model& model, DecodingWeights kind)
    : model_(model), kind_(kind) {}

const StepWeights* DecodingModel::weights() const {
  std::call_once(weights_made_, [&] {
    if (model_.dtype() != at::kFloat && model_.dtype() != at::kBFloat16) return;
    weights_ = std::make_unique<StepWeights>(model_, kind_);
  });
  return weights_.get();
}

const StepDecoder* DecodingModel::steps() const {
  std::call_once(steps_made_, [&] {
    if (!model_.device().is_cpu() || weights() == nullptr) return;
    steps_ = std::make_unique<StepDecoder>(model_.language().config(), *weights());
  });
  return steps_.get();
}

DecodingModel::LentSteps DecodingModel::lend_device_steps() const {
  std::unique_ptr<DeviceSteps> steps;
  {
    const std::lock_guard lock(device_steps_mutex_);
    if (!device_steps_.empty()) {
      steps = std::move(device_steps_.back());
      device_steps_.pop_back();
    }
  }
  if (steps == nullptr && !model_.device().is_cpu()) {
    steps = DeviceSteps::where_it_can(model_.language(), matrices());
  }
  return {steps.release(), GiveBack{this}};
}

void DecodingModel::GiveBack::operator()(DeviceSteps* steps) const {
  const std::lock_guard lock(to->device_steps_mutex_);
  to->device_steps_.emplace_back(steps);
}

bool DecodingModel::rounds_rows() const {
  return kind_ == DecodingWeights::int8_products &&
         sightline::rounds_rows(model_.device(), model_.dtype());
}

const RoundedMatrices& DecodingModel::rounded() const {
  std::call_once(rounded_made_, [&] {
    rounded_ = std::make_unique<RoundedMatrices>(*weights(), model_.language().matrices());
  });
  return *rounded_;
}

const RoundedVisionMatrices& DecodingModel::rounded_vision() const {
  std::call_once(vision_made_, [&] {
    rounded_vision_ = std::make_unique<RoundedVisionMatrices>(model_.vision().matrices());
  });
  return *rounded_vision_;
}

const Matrices& DecodingModel::prompt_matrices() const {
  if (rounds_rows()) return rounded();
  return model_.language().matrices();
}

at::Tensor DecodingModel::image_rows(const at::Tensor& pixels_ICHW) const {
  if (!rounds_rows()) return model_.image_rows(pixels_ICHW, kFromPixels);
  return model_.connector().forward(model_.vision().forward(rounded_vision(), pixels_ICHW));
}

const Matrices& DecodingModel::matrices() const {
  if (rounds_rows()) return rounded();
  std::call_once(matrices_made_, [&] {
    const LanguageConfig& config = model_.language().config();
    if (kind_ != DecodingWeights::whole) {
      SL_ASSERT(weights() != nullptr, "weights of fp32 and bf16 can be rounded");
      params_ = std::make_unique<ParamMap>(weights()->parameters());
      plain_ = std::make_unique<PlainMatrices>(config, *params_);
    }
    packed_ =
        PackedMatrices::where_it_pays(config, plain_ ? *plain_ : model_.language().matrices());
  });
  if (packed_) return *packed_;
  return plain_ ? *plain_ : model_.language().matrices();
}

}  // namespace sightline
