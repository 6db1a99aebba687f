#pragma once
// A decoder as transformers' LlamaModel computes it (modeling_llama.py): RMSNorm, rotary positions
// (neox halves), grouped-query attention, SwiGLU. Qwen2Model (modeling_qwen2.py) is the same with
// biases of the queries, keys and values.
//
// The decoder knows no mask and keeps no state: its rows are packed, and how they attend is an
// argument. Training passes a plan's attention, generation one that reads and fills a KV cache.
//
// Legend: T packed rows, D hidden size, H query heads, G key/value heads, d head size, V
// vocabulary.

#include "model/dropout.h"
#include "model/matrices.h"
#include "recipe/model_config.h"
#include "tensor/attention.h"
#include "tensor/param_map.h"
#include "tensor/recompute.h"

#include <functional>

#include <ATen/core/Tensor.h>

namespace sightline {

// Cosines and sines of the rotary angles, [T, d/2], in fp32 (fp64 for fp64). Hugging Face rounds
// them to the rows' 16 bits.
class Rotary {
 public:
  Rotary(const at::Tensor& positions_T, const LanguageConfig& config, at::ScalarType dtype);
  at::Tensor operator()(const at::Tensor& x_THd) const;

 private:
  at::Tensor cos_Th_, sin_Th_;
};

// (layer, q [T, H, d], k [T, G, d], v [T, G, d]) -> [T, H, d]; q and k are rotated already.
using Attend = std::function<at::Tensor(int64_t layer, const at::Tensor& q_THd,
                                        const at::Tensor& k_TGd, const at::Tensor& v_TGd)>;

class Decoder {
 public:
  // Reads "language.*" of `params`, which must outlive this and may be trained.
  Decoder(const LanguageConfig& config, const ParamMap& params);

  // Token embeddings [T, D] of ids [T] (int64).
  at::Tensor embed(const at::Tensor& tokens_T) const;
  // All layers and the last norm: [T, D] -> [T, D]. positions [T] (int64). Dropout is of what
  // attention and MLP add to the rows. Where activations are recomputed, `attend` is called again
  // in the backward pass, and must still be able to.
  at::Tensor forward(const at::Tensor& x_TD, const at::Tensor& positions_T, const Attend& attend,
                     Dropout dropout = {}, Activations activations = Activations::kept) const;
  // The same without dropout, by the same weights in another layout.
  at::Tensor forward(const Matrices& matrices, const at::Tensor& x_TD,
                     const at::Tensor& positions_T, const Attend& attend) const;
  const PlainMatrices& matrices() const { return matrices_; }
  // The output head's weight [V, D]: the embedding's where they are tied.
  const at::Tensor& head() const { return matrices_.head(); }

  double attention_scale() const;
  // What its queries and keys are, for lower_plan().
  AttentionNumbers attention_numbers() const;
  const LanguageConfig& config() const { return config_; }

 private:
  at::Tensor norm(const at::Tensor& x_TD, const std::string& name) const;
  at::Tensor layer(const Matrices& matrices, const at::Tensor& x_TD, int64_t number,
                   const Rotary& rotate, const Attend& attend, Dropout dropout) const;
  const at::Tensor& param(const std::string& name) const { return params_.at("language." + name); }

  LanguageConfig config_;
  const ParamMap& params_;
  PlainMatrices matrices_;
};

NamedShapes language_parameters(const LanguageConfig& config);

}  // namespace sightline
