#pragma once
// The products of a vision model's rows with its layers' weight matrices, apart from all else that
// it computes, as model/matrices.h has a decoder's: generation may keep the same weights in another
// form (generate/rounded_matrices.h).
//
// Legend: I images, N tokens an image, D hidden size, M the MLP's inner size.

#include "recipe/model_config.h"
#include "tensor/param_map.h"

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace sightline {

class VisionMatrices {
 public:
  struct AttentionInputs {
    at::Tensor q_IND, k_IND, v_IND;
  };

  virtual ~VisionMatrices() = default;
  virtual AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_IND) const = 0;
  virtual at::Tensor attention_output(int64_t layer, const at::Tensor& attended_IND) const = 0;
  virtual at::Tensor up(int64_t layer, const at::Tensor& x_IND) const = 0;
  virtual at::Tensor down(int64_t layer, const at::Tensor& inner_INM) const = 0;
};

// The parameters as they are: the definition, and the only ones that train.
class PlainVisionMatrices final : public VisionMatrices {
 public:
  // Reads "vision.*" of `params`, which must outlive this.
  PlainVisionMatrices(const VisionConfig& config, const ParamMap& params)
      : config_(config), params_(params) {}

  AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_IND) const override;
  at::Tensor attention_output(int64_t layer, const at::Tensor& attended_IND) const override;
  at::Tensor up(int64_t layer, const at::Tensor& x_IND) const override;
  at::Tensor down(int64_t layer, const at::Tensor& inner_INM) const override;

  // Of a layer's matrix, by its name in VisionNames.
  const at::Tensor& weight(int64_t layer, const char* name) const;
  const at::Tensor& bias(int64_t layer, const char* name) const;
  const VisionConfig& config() const { return config_; }

 private:
  at::Tensor product(int64_t layer, const at::Tensor& x, const char* name) const;

  const VisionConfig config_;
  const ParamMap& params_;
};

}  // namespace sightline
