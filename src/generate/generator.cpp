#include "generate/generator.h"

#include "base/error.h"
#include "batch/compose.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

namespace sightline {
namespace {

// The vision model's activations are large beside the decoder's: it takes the pictures in parts.
constexpr int64_t kPicturesAtOnce = 32;

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

// The searches of all prompts over one cache: which of its sequences belong to which search.
class SearchBatch {
 public:
  SearchBatch(CachedDecoding& decoding, std::vector<BeamSearch> searches)
      : decoding_(decoding), searches_(std::move(searches)) {}

  std::vector<Generated> run() {
    while (step()) decoding_.advance(parents_, tokens_);
    std::vector<Generated> results;
    for (const BeamSearch& search : searches_) results.push_back(search.best());
    return results;
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
    int64_t first = 0;  // sequence of the search's first live beam
    for (BeamSearch& search : searches_) {
      const int64_t live = search.num_live();
      if (live == 0) continue;
      for (const auto& [parent, token] :
           search.step(all.subspan(first * vocab, live * vocab), vocab)) {
        parents_.push_back(first + parent);
        tokens_.push_back(token);
      }
      first += live;
    }
    return !tokens_.empty();
  }

  CachedDecoding& decoding_;
  std::vector<BeamSearch> searches_;
  std::vector<int64_t> parents_;
  std::vector<int32_t> tokens_;
};

}  // namespace

Generator::Generator(const Bundle& bundle)
    : Generator(*bundle.model, bundle.mask, end_ids_of(bundle)) {}

Generator::Generator(const Model& model, MaskPolicy policy, std::span<const int32_t> end_ids)
    : model_(model), policy_(policy), end_ids_(end_ids.begin(), end_ids.end()) {}

at::Tensor Generator::image_rows(std::span<const Prompt> prompts) const {
  std::vector<at::Tensor> pixels;
  for (const Prompt& prompt : prompts) {
    if (prompt.pixels_ICHW.defined()) pixels.push_back(prompt.pixels_ICHW);
  }
  if (pixels.empty()) return {};
  std::vector<at::Tensor> rows;
  for (const at::Tensor& part : at::cat(pixels).split(kPicturesAtOnce)) {
    rows.push_back(model_.image_rows(part.to(model_.dtype()), kFromPixels));
  }
  return at::cat(rows);
}

CachedDecoding Generator::start(std::span<const Prompt> prompts, int64_t max_new_tokens) const {
  const at::NoGradGuard no_grad;
  std::vector<Sample> samples;
  std::vector<const Sample*> pointers;
  for (const Prompt& prompt : prompts) samples.push_back(sample_of(prompt));
  for (const Sample& sample : samples) pointers.push_back(&sample);
  const Batch batch = compose(pointers, {policy_, model_.config().rows_per_image()});
  return CachedDecoding(model_, batch, image_rows(prompts), max_new_tokens);
}

std::vector<Generated> Generator::generate(std::span<const Prompt> prompts,
                                           const DecodingOptions& options) const {
  if (prompts.empty()) return {};
  check(options.beams >= 1 && options.max_new_tokens >= 1,
        "{} beams and {} new tokens: each must be at least 1", options.beams,
        options.max_new_tokens);
  const int64_t most_rows = model_.language().config().max_position_embeddings;
  std::vector<BeamSearch> searches;
  for (const Prompt& prompt : prompts) {
    const auto rows = static_cast<int64_t>(prompt.rows.tokens.size());
    check(rows < most_rows,
          "{}: a prompt of {} tokens leaves no room for an answer: the language model takes {}",
          prompt.where, rows, most_rows);
    DecodingOptions own = options;
    own.max_new_tokens = std::min(options.max_new_tokens, most_rows - rows);
    searches.emplace_back(own, end_ids_);
  }
  CachedDecoding decoding = start(prompts, options.max_new_tokens);
  return SearchBatch(decoding, std::move(searches)).run();
}

}  // namespace sightline
