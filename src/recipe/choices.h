#pragma once
// The choices that are one file and one line each: this is the line (docs/extending.md). From it come
// the enum, its names in recipes and errors, and the call of what the file defines.

// mask = "NAME": src/batch/mask_NAME.cpp defines `MaskRule mask_NAME()`.
#define SIGHTLINE_MASK_POLICIES(CHOICE) \
  CHOICE(causal)                        \
  CHOICE(image)                         \
  CHOICE(prefix)                        \
  CHOICE(question)
