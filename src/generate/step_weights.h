#pragma once
// A language model's weights as the row kernels read them: the parameters themselves, or rounded to
// groups. Vectors (norms, biases) are fp32 copies.

#include "kernels/weight_matrix.h"
#include "model/model.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sightline {

// What rounding to groups makes of each matrix [N, K], which may lie on any device; by all threads.
std::vector<GroupedWeights> grouped_weights(WeightFormat format,
                                            std::span<const at::Tensor> matrices);

struct StepWeights {
  struct Layer {
    std::vector<float> attention_norm, mlp_norm;
    WeightMatrix q, k, v, o, gate, up, down;
    std::vector<float> q_bias, k_bias, v_bias;  // empty where there is none
  };

  // `model` must be of fp32 or bf16 and outlive this. Where it lies on another device than the CPU
  // its language parameters are copied.
  StepWeights(const Model& model, DecodingWeights kind);
  StepWeights(const StepWeights&) = delete;
  StepWeights& operator=(const StepWeights&) = delete;

  std::vector<Layer> layers;
  WeightMatrix embedding;  // [V, D], the parameter: a token reads one row of it
  WeightMatrix head;
  std::vector<float> last_norm;

  // What the matrices stand for, as parameters "language.*" of the model's dtype, on its device:
  // shared with the model where nothing is rounded.
  ParamMap parameters() const;
  // Read for one token, the embedding's row aside.
  int64_t bytes() const;

 private:
  void round_matrices(WeightFormat format);
  WeightMatrix matrix(const std::string& name) const;

  const Model& model_;
  ParamMap host_;  // the language parameters on the CPU
  std::string head_name_;
  std::map<std::string, GroupedWeights> rounded_;  // by names; empty for whole weights
};

}  // namespace sightline
