#include "data/prepare.h"

#include "base/error.h"
#include "base/rng.h"
#include "data/row_bounds.h"

#include <algorithm>
#include <string_view>

namespace sightline {

namespace {

PictureOptions picture_options(const LoaderOptions& options) {
  return {options.processor ? &*options.processor : nullptr, options.store};
}

// Another one in each pass.
uint64_t seed_of(uint64_t seed, std::string_view purpose, const Draw& draw) {
  const uint64_t of_entry = derive_seed(seed, purpose, draw.entry);
  return derive_seed(derive_seed(of_entry, "number", draw.number), "pass", draw.pass);
}

// A conversation's first token has no row before it that could predict it (compose.h).
int64_t predictions_of(const Sample& sample) {
  int64_t count = 0;
  for (const Rows& rows : sample.conversations) {
    if (!rows.supervised.empty()) {
      count += std::count(rows.supervised.begin() + 1, rows.supervised.end(), uint8_t{1});
    }
  }
  return count;
}

// Leaves one conversation, drawn afresh in each pass.
void draw_conversation(Example& example, uint64_t seed, const Draw& draw) {
  const size_t count = example.conversations.size();
  if (count < 2) return;
  Rng rng(seed_of(seed, "caption", draw));
  const size_t chosen = rng.below(count);
  example.conversations = {std::move(example.conversations[chosen])};
  if (example.references.size() == count) {
    example.references = {std::move(example.references[chosen])};
  }
  example.kinds.clear();  // of no use in training
  example.answers.clear();
}

void prepare_words(PreparedSample& prepared, Example example, const LoaderOptions& options) {
  const LoaderEntry& entry = options.entries[prepared.draw.entry];
  if (entry.captions == CaptionsMode::one) {
    draw_conversation(example, options.seed, prepared.draw);
  }
  prepared.sample = options.encoder->encode(example);
  prepared.rows = rows_within({.conversation = options.max_rows, .sample = options.micro_tokens},
                              prepared.sample, options.compose);
  prepared.images = documents_of(prepared.sample, options.compose) *
                    static_cast<int64_t>(prepared.sample.images.size());
  prepared.predictions = predictions_of(prepared.sample);
}

// Objective::reconstruct: of an example its pictures alone.
void prepare_patches(PreparedSample& prepared, Example example, const LoaderOptions& options) {
  const std::string& where = example.where;
  check(!example.images.empty(), "{}: has no picture to reconstruct", where);
  prepared.rows = static_cast<int64_t>(example.images.size()) * options.patches_per_image;
  check(
      prepared.rows <= options.micro_tokens,
      "{}: the sample's pictures have {} patches, more than micro_tokens = {}: raise micro_tokens",
      where, prepared.rows, options.micro_tokens);
  prepared.sample.where = std::move(example.where);
  prepared.sample.images = std::move(example.images);
  prepared.images = prepared.predictions = static_cast<int64_t>(prepared.sample.images.size());
}

// The change of the sample's picture `index`: a function of the draw alone, so that it is the same
// after a resume and on any number of workers.
PictureChange change_of(const LoaderOptions& options, const Draw& draw, size_t index) {
  const AugmentOptions& augmentation = options.entries[draw.entry].augment;
  if (!augmentation.any()) return nullptr;
  return [&augmentation, seed = seed_of(options.seed, "augment", draw), index](const Image& image) {
    Rng rng(derive_seed(seed, "picture", index));
    return augment(image, draw_augmentation(augmentation, image.width, image.height, rng));
  };
}

bool opens_pictures(const LoaderOptions& options) {
  return options.processor.has_value() || options.store != nullptr;
}

// Of several ranks each opens the pictures of its own batches alone; unless bad ones are passed
// over, which all must know before packing.
bool opens_before_packing(const LoaderOptions& options, const LoaderEntry& entry) {
  return options.ranks == 1 || entry.on_bad_sample == OnBadSample::skip;
}

std::vector<Picture> open_pictures(const PreparedSample& prepared, const LoaderOptions& options) {
  std::vector<Picture> pictures;
  if (!opens_pictures(options)) return pictures;
  for (size_t i = 0; i < prepared.sample.images.size(); ++i) {
    try {
      pictures.push_back(load_picture(prepared.sample.images[i], picture_options(options),
                                      change_of(options, prepared.draw, i)));
    } catch (const Error& error) {
      fail("{}: {}", prepared.sample.where, error.what());
    }
  }
  return pictures;
}

[[noreturn]] void fail_for(const Error& bad_sample) {
  fail("{} (or pass over bad samples: on_bad_sample = \"skip\")", bad_sample.what());
}

void open_unopened(PreparedSample& prepared, const LoaderOptions& options) {
  if (opens_before_packing(options, options.entries[prepared.draw.entry])) return;
  try {
    prepared.pictures = open_pictures(prepared, options);
  } catch (const Error& error) {
    fail_for(error);
  }
}

Batch pictures_alone(std::span<const PreparedSample> samples) {
  Batch batch;
  for (const PreparedSample& prepared : samples) {
    batch.sample_names.push_back(prepared.sample.where);
    batch.images.insert(batch.images.end(), prepared.sample.images.begin(),
                        prepared.sample.images.end());
  }
  return batch;
}

Batch composed(const LoaderOptions& options, std::span<const PreparedSample> samples) {
  std::vector<const Sample*> pointers;
  for (const PreparedSample& prepared : samples) pointers.push_back(&prepared.sample);
  return compose(pointers, options.compose);
}

}  // namespace

PreparedSample prepare_sample(const LoaderOptions& options, const Draw& draw) {
  const LoaderEntry& entry = options.entries[draw.entry];
  PreparedSample prepared{.draw = draw};
  try {
    Example example = entry.dataset->example(draw.number);
    if (options.encoder != nullptr) {
      prepare_words(prepared, std::move(example), options);
    } else {
      prepare_patches(prepared, std::move(example), options);
    }
    if (opens_before_packing(options, entry)) prepared.pictures = open_pictures(prepared, options);
  } catch (const Error& error) {
    if (entry.on_bad_sample == OnBadSample::fail) fail_for(error);
    prepared.problem = error.what();
  }
  return prepared;
}

Batch make_batch(const LoaderOptions& options, std::span<PreparedSample> samples) {
  for (PreparedSample& prepared : samples) open_unopened(prepared, options);
  Batch batch = options.encoder == nullptr ? pictures_alone(samples) : composed(options, samples);
  if (!opens_pictures(options)) return batch;
  // A sample's pictures stand once in each of its documents.
  std::vector<const Picture*> pictures;
  for (const PreparedSample& prepared : samples) {
    const int64_t times =
        options.encoder == nullptr ? 1 : documents_of(prepared.sample, options.compose);
    for (int64_t i = 0; i < times; ++i) {
      for (const Picture& picture : prepared.pictures) pictures.push_back(&picture);
    }
  }
  fill_pictures(batch, pictures, picture_options(options));
  return batch;
}

}  // namespace sightline
