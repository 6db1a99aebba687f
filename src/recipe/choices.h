#pragma once
// The choices that are one file and one line each: this is the line (docs/extending.md). From it
// come the enum, its names in recipes and errors, and the call of what the file defines.

// mask = "NAME": src/batch/mask_NAME.cpp defines `MaskRule mask_NAME()`.
#define SIGHTLINE_MASK_POLICIES(CHOICE) \
  CHOICE(causal)                        \
  CHOICE(image)                         \
  CHOICE(prefix)                        \
  CHOICE(question)

// format = "NAME" of [data.*]: src/data/NAME.cpp defines `std::unique_ptr<Dataset> open_NAME(const
// std::string& name, const DataRecipe&)` (data/readers.h). A format has the keys `annotations`,
// `images`, `prompt`, `captions` and `augment` unless recipe/read_data.cpp says otherwise.
#define SIGHTLINE_DATA_FORMATS(CHOICE) \
  CHOICE(flickr)                       \
  CHOICE(coco)                         \
  CHOICE(karpathy)                     \
  CHOICE(llava)                        \
  CHOICE(jsonl)                        \
  CHOICE(vqa)                          \
  CHOICE(daquar)                       \
  CHOICE(vqarad)                       \
  CHOICE(pathvqa)                      \
  CHOICE(webdataset)                   \
  CHOICE(text)                         \
  CHOICE(scenes)

// connector = "NAME": src/model/connector_NAME.cpp defines `ConnectorRule connector_NAME()`. The
// second word says what shares a row of the language model: a `patch` has one of its own, a
// `square` of factor x factor patches has one together.
#define SIGHTLINE_CONNECTORS(CHOICE) \
  CHOICE(mlp, patch)                 \
  CHOICE(shuffle, square)            \
  CHOICE(linear, patch)              \
  CHOICE(pool, square)
