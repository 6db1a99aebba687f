#pragma once
// Random samples and random layouts: packed, branched, interleaved with images, text alone.

#include "base/rng.h"
#include "batch/compose.h"
#include "batch/layout.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline::test {

inline constexpr int64_t kRowsPerImage = 4;

inline void append(Rows& rows, int32_t token, RowKind kind, bool supervised = false) {
  rows.tokens.push_back(token);
  rows.kinds.push_back(kind);
  rows.supervised.push_back(supervised);
}

inline void append_image(Rows& rows, int64_t rows_per_image = kRowsPerImage) {
  for (int64_t i = 0; i < rows_per_image; ++i) append(rows, kImageRow, RowKind::image);
}

// Two words alone in answers, so that some begin alike.
inline void append_words(Rows& rows, Rng& rng, uint64_t count, RowKind kind) {
  const bool answer = kind == RowKind::assistant;
  for (uint64_t i = 0; i < count; ++i) {
    append(rows, static_cast<int32_t>(rng.below(answer ? 2 : 50)), kind, answer);
  }
}

// A shared beginning (images, often touching or interleaved with words, then a prompt), followed by
// one to five endings of one or two turns. Some have no image, some nothing supervised.
inline Sample random_sample(Rng& rng) {
  Sample sample;
  sample.where = "random:" + std::to_string(rng.below(1000));
  Rows beginning;
  append_words(beginning, rng, rng.below(3), RowKind::user);
  const uint64_t images = rng.below(4);
  for (uint64_t i = 0; i < images; ++i) {
    sample.images.push_back({.path = "picture" + std::to_string(rng.below(100)), .encoded = {}});
    append_image(beginning);
    append_words(beginning, rng, rng.below(4), RowKind::user);
  }
  append_words(beginning, rng, 1 + rng.below(3), RowKind::user);
  const uint64_t conversations = 1 + rng.below(5);
  for (uint64_t c = 0; c < conversations; ++c) {
    Rows rows = beginning;
    append_words(rows, rng, rng.below(2) * rng.below(3), RowKind::user);
    if (rng.below(8) > 0) append_words(rows, rng, 1 + rng.below(6), RowKind::assistant);
    if (rng.below(3) == 0) {
      append_words(rows, rng, 1 + rng.below(4), RowKind::user);
      append_words(rows, rng, 1 + rng.below(4), RowKind::assistant);
    }
    sample.conversations.push_back(rows);
  }
  return sample;
}

inline Batch random_batch(Rng& rng, MaskPolicy policy, uint64_t most_samples = 4) {
  std::vector<Sample> samples(1 + rng.below(most_samples));
  std::vector<const Sample*> pointers;
  for (Sample& sample : samples) {
    sample = random_sample(rng);
    pointers.push_back(&sample);
  }
  return compose(pointers, {.policy = policy, .rows_per_image = kRowsPerImage});
}

// Any layout that the rule allows, more wildly than a policy would make it: blocks anywhere, in
// branches too.
inline Layout random_layout(Rng& rng) {
  Layout layout;
  int32_t block = -1;
  const auto documents = static_cast<int32_t>(1 + rng.below(4));
  for (int32_t document = 0; document < documents; ++document) {
    const auto branches = static_cast<int32_t>(rng.below(4));
    int32_t trunk_rows = 0;
    for (int32_t branch = kTrunk; branch < branches; ++branch) {
      int32_t position = branch == kTrunk ? 0 : trunk_rows;
      const uint64_t spans = 1 + rng.below(3);
      for (uint64_t span = 0; span < spans; ++span) {
        const bool is_block = rng.below(2) == 0;
        if (is_block) ++block;
        const uint64_t count = 1 + rng.below(5);
        for (uint64_t i = 0; i < count; ++i) {
          layout.document_T.push_back(document);
          layout.branch_T.push_back(branch);
          layout.block_T.push_back(is_block ? block : kNoBlock);
          layout.position_T.push_back(position++);
        }
      }
      if (branch == kTrunk) trunk_rows = position;
    }
  }
  return layout;
}

}  // namespace sightline::test
