#include "plan/trained_layers.h"

#include "recipe/trainable.h"
#include "train/stage_trainer.h"

namespace sightline {

TrainedLayers trained_layers(const ModelConfig& config, const StageRecipe& stage) {
  const Trainable trains = trainable_of(stage, config);
  TrainedLayers trained;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    if (!trains(name)) continue;
    const Location at = location_of(name);
    const bool vision = name.starts_with("vision.");
    if (at.section == "layers") (vision ? trained.vision : trained.language).insert(at.layer);
    if (vision && at.section == "embeddings") trained.vision_embeddings = true;
    if (vision && at.section == "norm") trained.vision_norm = true;
    if (name.starts_with("connector.")) trained.connector = true;
    if (!vision && at.section == "embeddings") trained.words = true;
    if (at.section == "head") trained.head = true;
  }
  if (config.language && config.language->tie_word_embeddings) trained.head = trained.words;
  return trained;
}

}  // namespace sightline
