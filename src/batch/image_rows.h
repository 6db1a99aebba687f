#pragma once
// The one function that counts the rows an image takes in the language model's sequence. Data,
// model, generation and serving all ask here.

#include "recipe/model_config.h"

#include <cstdint>

namespace sightline {

// Patches, divided by factor^2 where the connector has one. A patch grid that the factor does not
// divide is an Error.
int64_t rows_per_image(const VisionConfig& vision, const ConnectorConfig& connector);

}  // namespace sightline
