#pragma once
// The products of a decoder's rows with its weight matrices, apart from all else that it computes,
// so that generation may keep the same weights in another layout (model/packed_matrices.h).
//
// Legend: T rows, D hidden size, H query heads, G key/value heads, d head size, M the MLP's inner
// size, V vocabulary.

#include "recipe/model_config.h"
#include "tensor/param_map.h"

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

namespace sightline {

class Matrices {
 public:
  struct AttentionInputs {
    at::Tensor q_TQ, k_TK, v_TK;  // [T, H d], [T, G d], [T, G d]; rows may lie apart in memory
  };
  struct Inner {
    at::Tensor gate_TM, up_TM;  // rows may lie apart in memory
  };

  virtual ~Matrices() = default;
  virtual AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_TD) const = 0;
  virtual at::Tensor attention_output(int64_t layer, const at::Tensor& attended_TQ) const = 0;
  virtual Inner inner(int64_t layer, const at::Tensor& x_TD) const = 0;
  virtual at::Tensor down(int64_t layer, const at::Tensor& inner_TM) const = 0;
  virtual at::Tensor logits(const at::Tensor& x_TD) const = 0;  // [T, V]
};

// The parameters as they are: the definition, and the only ones that train.
class PlainMatrices final : public Matrices {
 public:
  // Reads "language.*" of `params`, which must outlive this.
  PlainMatrices(const LanguageConfig& config, const ParamMap& params)
      : config_(config), params_(params) {}

  AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_TD) const override;
  at::Tensor attention_output(int64_t layer, const at::Tensor& attended_TQ) const override;
  Inner inner(int64_t layer, const at::Tensor& x_TD) const override;
  at::Tensor down(int64_t layer, const at::Tensor& inner_TM) const override;
  at::Tensor logits(const at::Tensor& x_TD) const override;

  // Of a layer's matrix ("self_attn.q_proj"); the bias is undefined where there is none.
  const at::Tensor& weight(int64_t layer, const std::string& name) const;
  at::Tensor bias(int64_t layer, const std::string& name) const;
  // [V, D]: the embedding's where they are tied.
  const at::Tensor& head() const;

 private:
  at::Tensor product(int64_t layer, const at::Tensor& x, const std::string& name) const;

  const LanguageConfig config_;
  const ParamMap& params_;
};

}  // namespace sightline
