#include "generate/generator.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "batch/compose.h"
#include "recipe/decoding.h"
#include "recipe/names.h"

#include <algorithm>
#include <memory>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

namespace sightline {
namespace {

// Prompts go through the models so many rows at a time, about: enough for the products, few enough
// that what stands between them stays in the caches. SigLIP-B/16 and SmolLM2-135M on two cores,
// prompts of 198 rows, a picture's seconds: 0.30 one at a time, 0.21 by 8 or 16, 0.30 by 64.
constexpr int64_t kRowsAtOnce = 2048;
// One prompt may show many: the vision model takes them in parts.
constexpr int64_t kPicturesAtOnce = 32;
// Tokens of an answer that the cache has room for from the start; it grows for longer ones.
constexpr int64_t kUsualTokens = 256;

Sample sample_of(const Prompt& prompt) {
  Sample sample;
  sample.where = prompt.where;
  sample.images.resize(prompt.pixels_ICHW.defined() ? prompt.pixels_ICHW.size(0) : 0);
  sample.conversations.push_back(prompt.rows);
  sample.conversations.back().awaits_answer = true;
  return sample;
}

std::span<const int32_t> end_ids_of(const Bundle& bundle) {
  check(bundle.model->config().language.has_value() && bundle.prompt_template.has_value(),
        "the model has no language part, so it has nothing to answer with");
  return bundle.prompt_template->end_ids();
}

// Names the prompt by what it holds, for the seed of what is drawn.
std::string content_of(const Prompt& prompt) {
  std::string key = content_key(std::as_bytes(std::span(prompt.rows.tokens)));
  if (prompt.pixels_ICHW.defined()) {
    const at::Tensor pixels = prompt.pixels_ICHW.cpu().to(at::kFloat).contiguous();
    key += content_key(std::as_bytes(
        std::span(pixels.const_data_ptr<float>(), static_cast<size_t>(pixels.numel()))));
  }
  return key;
}

// The searches of all prompts over one cache: which of its sequences belong to which search.
class SearchBatch {
 public:
  using Searches = std::vector<std::unique_ptr<Search>>;

  SearchBatch(CachedDecoding& decoding, const Searches& searches)
      : decoding_(decoding), searches_(searches), live_(searches.size(), 1) {}

  void run() {
    while (step()) decoding_.advance(parents_, tokens_);
  }

 private:
  // Every live search takes one step; false when none is left.
  bool step() {
    const at::Tensor& log_probabilities = decoding_.log_probabilities();
    const int64_t vocab = log_probabilities.size(1);
    const std::span<const float> all(log_probabilities.const_data_ptr<float>(),
                                     static_cast<size_t>(log_probabilities.numel()));
    parents_.clear();
    tokens_.clear();
    int64_t first = 0;  // the search's first sequence
    for (size_t i = 0; i < searches_.size(); ++i) {
      if (live_[i] == 0) continue;
      const auto continuations =
          searches_[i]->step(all.subspan(first * vocab, live_[i] * vocab), vocab);
      for (const auto& [parent, token] : continuations) {
        parents_.push_back(first + parent);
        tokens_.push_back(token);
      }
      first += live_[i];
      live_[i] = static_cast<int64_t>(continuations.size());
    }
    return !tokens_.empty();
  }

  CachedDecoding& decoding_;
  const Searches& searches_;
  std::vector<int64_t> live_;  // sequences of each search
  std::vector<int64_t> parents_;
  std::vector<int32_t> tokens_;
};

}  // namespace

Generator::Generator(const Bundle& bundle)
    : Generator(*bundle.model, bundle.mask, end_ids_of(bundle)) {
  tokenizer_ = bundle.tokenizer;
}

Generator::Generator(const Model& model, MaskPolicy policy, std::span<const int32_t> end_ids)
    : model_(model), policy_(policy), end_ids_(end_ids.begin(), end_ids.end()) {
  for (const auto& [name, kind] : names_of(DecodingWeights())) {
    models_.emplace(kind, std::make_unique<DecodingModel>(model, kind));
  }
}

at::Tensor Generator::image_rows(std::span<const Prompt> prompts, const DecodingModel& by) const {
  std::vector<at::Tensor> pixels;
  for (const Prompt& prompt : prompts) {
    if (prompt.pixels_ICHW.defined()) pixels.push_back(prompt.pixels_ICHW);
  }
  if (pixels.empty()) return {};
  std::vector<at::Tensor> rows;
  for (const at::Tensor& part : at::cat(pixels).split(kPicturesAtOnce)) {
    rows.push_back(by.image_rows(part.to(model_.dtype())));
  }
  return at::cat(rows);
}

CachedDecoding Generator::start(std::span<const Prompt> prompts,
                                const DecodingRecipe& decoding) const {
  const at::NoGradGuard no_grad;
  int64_t room = std::min(decoding.max_new_tokens, kUsualTokens) * std::ssize(prompts);
  for (const Prompt& prompt : prompts) room += std::ssize(prompt.rows.tokens);
  const DecodingModel& model = *models_.at(decoding.weights);
  CachedDecoding cache(model, room);
  while (!prompts.empty()) {
    std::vector<Sample> samples;
    for (int64_t rows = 0; std::ssize(samples) < std::ssize(prompts) && rows < kRowsAtOnce;) {
      const Prompt& prompt = prompts[samples.size()];
      rows += std::ssize(prompt.rows.tokens);
      samples.push_back(sample_of(prompt));
    }
    std::vector<const Sample*> pointers;
    for (const Sample& sample : samples) pointers.push_back(&sample);
    cache.add(compose(pointers, {policy_, model_.config().rows_per_image()}),
              image_rows(prompts.first(samples.size()), model));
    prompts = prompts.subspan(samples.size());
  }
  return cache;
}

Endings Generator::endings(const DecodingRecipe& decoding) const {
  if (decoding.stop.empty()) return {end_ids_, {}};
  SL_ASSERT(tokenizer_.has_value(), "stop strings for a model without words");
  return {end_ids_, StopStrings(*tokenizer_, decoding.stop)};
}

std::vector<std::vector<Generated>> Generator::answers(std::span<const Prompt> prompts,
                                                       const DecodingRecipe& decoding) const {
  if (prompts.empty()) return {};
  check_decoding(decoding);
  const int64_t most_rows = model_.language().config().max_position_embeddings;
  const Endings ends = endings(decoding);
  std::vector<DecodingRecipe> own(prompts.size(), decoding);
  std::vector<std::unique_ptr<Search>> searches;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto rows = static_cast<int64_t>(prompts[i].rows.tokens.size());
    check(rows < most_rows,
          "{}: a prompt of {} tokens leaves no room for an answer: the language model takes {}",
          prompts[i].where, rows, most_rows);
    own[i].max_new_tokens = std::min(decoding.max_new_tokens, most_rows - rows);
    const uint64_t stream =
        decoding.temperature > 0 ? derive_seed(decoding.seed, content_of(prompts[i])) : 0;
    searches.push_back(make_search(own[i], ends, stream));
  }
  CachedDecoding cache = start(prompts, decoding);
  SearchBatch(cache, searches).run();
  std::vector<std::vector<Generated>> results;
  for (const auto& search : searches) results.push_back(search->answers());
  return results;
}

std::vector<Generated> Generator::generate(std::span<const Prompt> prompts,
                                           const DecodingRecipe& decoding) const {
  std::vector<Generated> best;
  for (std::vector<Generated>& each : answers(prompts, decoding)) {
    best.push_back(std::move(each.front()));
  }
  return best;
}

}  // namespace sightline
