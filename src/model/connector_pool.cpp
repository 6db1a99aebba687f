// pool: Gemma 3's: the mean of a square's patches, RMSNorm, a matrix stored as [in, out].

#include "model/connector_rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rsqrt.h>

namespace sightline {

namespace {

// Gemma3RMSNorm: in fp32, its weight an offset from 1.
at::Tensor offset_rms_norm(const at::Tensor& x_ISV, const at::Tensor& weight_V, double epsilon) {
  const at::Tensor x = x_ISV.to(at::kFloat);
  const at::Tensor scale = at::rsqrt((x * x).mean(-1, true) + epsilon);
  return (x * scale * (weight_V.to(at::kFloat) + 1.0)).to(x_ISV.scalar_type());
}

}  // namespace

ConnectorRule connector_pool() {
  return {[](const ConnectorParts& parts, const at::Tensor& features_IPV) {
            const at::Tensor pooled_ISV = squares_of(features_IPV, parts.factor).mean(2);
            return at::matmul(offset_rms_norm(pooled_ISV, parts.param("mm_soft_emb_norm.weight"),
                                              parts.norm_epsilon),
                              parts.param("mm_input_projection_weight"));
          },
          [](const ConnectorSizes& sizes) -> NamedShapes {
            return {{"mm_input_projection_weight", {sizes.vision, sizes.language}},
                    {"mm_soft_emb_norm.weight", {sizes.vision}}};
          }};
}

}  // namespace sightline
