#pragma once
// The whole: vision encoder, connector, language model over one ParamMap. Any part may be absent
// (a language model alone, a vision model alone). The model keeps no state but its parameters,
// which all lie on one device; what it gives back lies there too.
//
// Legend: T packed rows, D language's hidden size, I images, R rows an image takes.

#include "batch/batch.h"
#include "model/connector.h"
#include "model/decoder.h"
#include "model/vision_encoder.h"
#include "recipe/model_config.h"
#include "tensor/attention.h"
#include "tensor/param_map.h"

#include <memory>
#include <optional>

#include <ATen/core/Tensor.h>

namespace sightline {

struct ModelConfig {
  std::optional<VisionConfig> vision;
  std::optional<LanguageConfig> language;
  ConnectorConfig connector;  // meant where both parts are there

  bool sees() const { return vision && language; }
  // Rows that an image takes; 0 for a model that does not see.
  int64_t rows_per_image() const;
  bool operator==(const ModelConfig&) const = default;
};

class Model {
 public:
  // `params` holds exactly the parameters of parameter_shapes(config), all of one dtype.
  Model(ModelConfig config, ParamMap params);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelConfig& config() const { return config_; }
  const ParamMap& params() const { return params_; }
  ParamMap& params() { return params_; }
  at::ScalarType dtype() const;
  at::Device device() const;
  // Moves the parameters, which must not be trained yet.
  void move_to(at::Device device);

  const VisionEncoder& vision() const;
  const Connector& connector() const;
  const Decoder& language() const;

  // Pixels [I, 3, h, w], or a hidden state stored at the vision model's cut `depth`, -> rows
  // [I, R, D] of the language model. They may still lie on the CPU.
  at::Tensor image_rows(const at::Tensor& pixels_or_hidden, int64_t depth,
                        const ModelDropout& dropout = {},
                        Activations activations = Activations::kept) const;

  // The batch's embedded rows [T, D]: tokens by the embedding, image rows by `image_rows_IRD`
  // (undefined where the batch has no image). A placeholder never reaches the embedding.
  at::Tensor embed(const Batch& batch, const at::Tensor& image_rows_IRD) const;

  // embed() through all layers under the batch's plan: [T, D], behind the last norm.
  at::Tensor forward(const Batch& batch, const at::Tensor& image_rows_IRD,
                     const ModelDropout& dropout = {},
                     Activations activations = Activations::kept) const;

 private:
  ModelConfig config_;
  ParamMap params_;
  std::optional<VisionEncoder> vision_;
  std::optional<Connector> connector_;
  std::optional<Decoder> language_;
};

// depth meaning "the batch carries pixels": the whole vision model runs.
inline constexpr int64_t kFromPixels = -1;

NamedShapes parameter_shapes(const ModelConfig&);

// Random parameters by the parts' conventions, from `seed` and the parameter's name alone: norms
// one, biases zero, matrices normal with the config's `initializer_range` as deviation (Hugging
// Face's default); the connector's matrices keep the variance of their input instead.
at::Tensor random_parameter(const std::string& name, const std::vector<int64_t>& shape,
                            uint64_t seed, double initializer_range = 0.02);

}  // namespace sightline
