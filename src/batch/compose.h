#pragma once
// Samples -> one packed Batch under a mask policy: documents, branches, blocks, positions, targets.

#include "batch/batch.h"
#include "batch/sample.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <span>

namespace sightline {

// May the conversations of one sample share their trunk under this policy (MaskRule::trunk)? Where
// not, each is a document of its own.
bool shares_trunk(MaskPolicy policy);

enum class Sharing { by_policy, never };  // never: every conversation is a document of its own

struct ComposeOptions {
  MaskPolicy policy = MaskPolicy::image;
  int64_t rows_per_image = 0;  // R; 0 for a model of text alone
  Sharing sharing = Sharing::by_policy;
};

// Rows that the sample takes in a batch.
int64_t packed_rows(const Sample& sample, const ComposeOptions& options);

// Documents that the sample is in a batch, each of which has all its images: 1 where its
// conversations share a trunk.
int64_t documents_of(const Sample& sample, const ComposeOptions& options);

// Lays the samples side by side in order. The longest common prefix of a sample's conversations
// becomes its trunk (never ending inside an image or behind a supervised token); what differs
// becomes branches. Supervised tokens never lie in a block (asserted).
Batch compose(std::span<const Sample* const> samples, const ComposeOptions& options);

}  // namespace sightline
