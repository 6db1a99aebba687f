#include "features/fill.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "image/decode.h"
#include "recipe/trainable.h"
#include "tensor/device.h"

#include <filesystem>
#include <unordered_set>
#include <vector>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace sightline {

namespace {

// All that a stored feature depends on but the picture itself.
std::string store_name(const Bundle& bundle, int64_t depth) {
  const auto& vision = bundle.model->vision();
  std::string text = describe(*bundle.processor) + "|" + to_json(vision.config()).dump() + "|" +
                     std::to_string(depth) + "|" +
                     std::to_string(static_cast<int>(bundle.model->dtype()));
  // A parameter lies below the cut where a stage that trains all from the cut on leaves it frozen.
  const int64_t layers = vision.config().num_hidden_layers;
  std::vector<std::string> above;
  if (depth < layers) above.push_back(fmt::format("vision.layers[{}:]", depth));
  if (depth <= layers) above.push_back("vision.norm");
  const Trainable lies_above(above, layers, 0);
  for (const auto& [name, tensor] : bundle.model->params()) {
    if (!name.starts_with("vision.") || lies_above(name)) continue;
    const at::Tensor host = tensor.cpu();
    text +=
        content_key(std::span(static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()));
  }
  return content_key(text);
}

// Bytes that a rank holds back until it takes its turn to append.
constexpr size_t kHeldBytes = size_t{64} << 20;

class Filler {
 public:
  Filler(const Bundle& bundle, FeatureStore& store, const FillOptions& options)
      : bundle_(bundle), store_(store), options_(options) {
    const int64_t side = bundle.processor->size;
    pixels_ = at::zeros({options.batch, 3, side, side}, at::kFloat);
  }

  void add(const std::string& key, const Image& image) {
    const int64_t numbers = pixels_.numel() / options_.batch;
    normalise(*bundle_.processor, image,
              std::span(pixels_.data_ptr<float>() + static_cast<int64_t>(keys_.size()) * numbers,
                        static_cast<size_t>(numbers)));
    keys_.push_back(key);
    if (static_cast<int64_t>(keys_.size()) == options_.batch) compute();
  }

  void finish() {
    compute();
    if (options_.ranks > 1) append_held();
    store_.finish();
  }

 private:
  struct Record {
    std::string key;
    std::vector<uint16_t> words;
  };

  // Runs the batch, padded by whatever stands in its unused places.
  void compute() {
    if (keys_.empty()) return;
    const c10::NoGradGuard no_grad;
    const Model& model = *bundle_.model;
    const at::Tensor hidden_IND = model.vision()
                                      .below(on_device(pixels_, model.device()), options_.depth)
                                      .to(at::kBFloat16)
                                      .cpu()
                                      .contiguous();
    const auto* words = static_cast<const uint16_t*>(hidden_IND.data_ptr());
    const auto size = static_cast<size_t>(store_.words());
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (options_.ranks == 1) {
        store_.append(keys_[i], std::span(words + i * size, size));
      } else {
        held_.push_back({keys_[i], {words + i * size, words + (i + 1) * size}});
      }
    }
    keys_.clear();
    if (held_.size() * size * sizeof(uint16_t) >= kHeldBytes) append_held();
    if (++batches_ % 16 == 0) store_.flush();
  }

  void append_held() {
    if (held_.empty()) return;
    store_.take_turn();
    for (const Record& record : held_) store_.append(record.key, record.words);
    store_.finish();
    held_.clear();
  }

  const Bundle& bundle_;
  FeatureStore& store_;
  const FillOptions& options_;
  at::Tensor pixels_;
  std::vector<std::string> keys_;
  std::vector<Record> held_;
  int64_t batches_ = 0;
};

// Which pictures the store lacked when the ranks met, each once, in an order that all share; every
// rank computes the batches that fall to it.
class Missing {
 public:
  Missing(const FeatureStore& store, const FillOptions& options)
      : store_(store), stored_before_(store.size()), options_(options) {
    meet();
  }

  // Whether this rank is to compute the picture: at the first call with its key, if at all.
  bool is_ours(const std::string& key) {
    if (store_.is_among_first(stored_before_, key) || !found_.insert(key).second) return false;
    const int64_t batch = (size() - 1) / options_.batch;
    return batch % options_.ranks == options_.rank;
  }
  // Behind each picture: all meet when a round of batches is over.
  void taken() {
    if (size() == met_ + options_.batch * options_.ranks) {
      met_ = size();
      meet();
    }
  }
  void meet() const {
    if (options_.meet) options_.meet();
  }
  int64_t size() const { return static_cast<int64_t>(found_.size()); }
  size_t stored_before() const { return stored_before_; }

 private:
  const FeatureStore& store_;
  const size_t stored_before_;
  const FillOptions& options_;
  std::unordered_set<std::string> found_;
  int64_t met_ = 0;
};

// None of an example that is bad and passed over: the loader counts and lists it.
std::vector<ImageSource> images_of(const LoaderEntry& entry, size_t number) {
  try {
    return entry.dataset->example(number).images;
  } catch (const Error&) {
    if (entry.on_bad_sample == OnBadSample::fail) throw;
    return {};
  }
}

}  // namespace

std::unique_ptr<FeatureStore> filled_store(const Bundle& bundle,
                                           std::span<const LoaderEntry> entries,
                                           const FillOptions& options) {
  const auto shape = bundle.model->vision().shape_at(options.depth);
  const std::filesystem::path folder =
      std::filesystem::path(options.cache) / store_name(bundle, options.depth);
  const int64_t words = shape[0] * shape[1];
  auto store = std::make_unique<FeatureStore>(folder, words);
  Filler filler(bundle, *store, options);
  Missing missing(*store, options);
  Progress progress;
  size_t total = 0, seen = 0;
  for (const LoaderEntry& entry : entries) total += entry.dataset->size();
  for (const LoaderEntry& entry : entries) {
    for (size_t number = 0; number < entry.dataset->size(); ++number, ++seen) {
      for (const ImageSource& source : images_of(entry, number)) {
        try {
          const std::string bytes = read_image_bytes(source);
          const std::string key = content_key(bytes);
          if (missing.is_ours(key)) {
            filler.add(key, apply(*bundle.processor,
                                  decode_image(std::as_bytes(std::span(bytes)), source.name())));
          }
        } catch (const Error&) {
          if (entry.on_bad_sample == OnBadSample::fail) throw;
          // the loader counts and lists it
        }
        missing.taken();
      }
      if (missing.size() > 0 && options.rank == 0) {
        progress.update(fmt::format("features: {} of {} samples, {} pictures to compute", seen + 1,
                                    total, missing.size()));
      }
    }
  }
  filler.finish();
  missing.meet();
  progress.finish();
  if (options.ranks > 1) store = std::make_unique<FeatureStore>(folder, words);
  const size_t computed = store->size() - missing.stored_before();
  if (computed > 0 && options.rank == 0) {
    log("features: {} pictures computed, {} in {}", computed, store->size(), folder.string());
  }
  return store;
}

}  // namespace sightline
