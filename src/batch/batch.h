#pragma once
// One micro-batch: packed rows, their attention plan, pictures, and what is to be predicted. Plain
// data: the contract between src/data, which makes it, and src/model, which reads it.
//
// Shapes: T packed rows, I images, R rows an image takes, S supervised predictions.

#include "batch/attention_plan.h"
#include "batch/layout.h"
#include "batch/sample.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sightline {

struct Batch {
  std::vector<int32_t> tokens_T;  // kImageRow where an image's features stand
  Layout layout;
  AttentionPlan plan;

  // Images in the order of their rows; image i fills rows image_rows[i*R .. (i+1)*R).
  std::vector<ImageSource> images;
  std::vector<int32_t> image_rows;
  int64_t rows_per_image = 0;

  // Prediction s: row loss_rows_S[s] is to predict token targets_S[s]. A trunk's last row may
  // predict the first token of each branch, so a row may stand here several times.
  std::vector<int32_t> loss_rows_S;
  std::vector<int32_t> targets_S;

  // The loader's work, as the stage needs it: normalised pixels [I, 3, H, W], or stored bf16
  // features [I, N, D] (as raw 16-bit words).
  std::vector<float> pixels;
  std::vector<uint16_t> features;

  std::vector<std::string> sample_names;  // for errors and the log

  int64_t rows() const { return static_cast<int64_t>(tokens_T.size()); }
  int64_t num_images() const { return static_cast<int64_t>(images.size()); }
  int64_t num_predictions() const { return static_cast<int64_t>(targets_S.size()); }
};

}  // namespace sightline
