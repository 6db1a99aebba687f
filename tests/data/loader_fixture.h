#pragma once
// Data, encoder and comparison for the tests of the loader.

#include "base/hash.h"
#include "base/rng.h"
#include "data/loader.h"
#include "tests/data/support.h"
#include "tests/text/tiny_tokenizer.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace sightline::test {

inline constexpr int64_t kRowsPerPicture = 4;

// Pictures in memory with 1 to 4 captions of 1 to 12 words; every eighth is of text alone.
class MadeDataset : public Dataset {
 public:
  MadeDataset(std::string name, size_t size) : name_(std::move(name)), size_(size) {
    for (size_t i = 0; i < size; ++i) {
      pictures_.push_back(std::make_shared<const std::string>(png_of(i)));
    }
  }
  size_t size() const override { return size_; }
  Example example(size_t number) const override {
    Rng rng(derive_seed(1, name_, number));
    Example example{.where = where(number)};
    const int images = number % 8 == 7 ? 0 : 1;
    if (images == 1) example.images = {{.path = "", .encoded = pictures_[number]}};
    const uint64_t captions = 1 + rng.below(4);
    for (uint64_t i = 0; i < captions; ++i) {
      const std::string words = caption(rng);
      example.conversations.push_back({{.role = Role::user, .text = "say", .images = images},
                                       {.role = Role::assistant, .text = words}});
      example.references.push_back(words);
    }
    return example;
  }
  std::string where(size_t number) const { return fmt::format("{}:{}", name_, number + 1); }
  void replace_picture(size_t number, std::string bytes) {
    pictures_[number] = std::make_shared<const std::string>(std::move(bytes));
  }

 private:
  static std::string caption(Rng& rng) {
    static const std::vector<std::string> words = {"a", "cat", "dog", "on", "the", "mat", "rug"};
    std::string text = words[rng.below(words.size())];
    for (uint64_t i = rng.below(12); i > 0; --i) text += " " + words[rng.below(words.size())];
    return text;
  }

  std::string name_;
  size_t size_;
  std::vector<std::shared_ptr<const std::string>> pictures_;
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// All that a batch holds, as one key.
inline std::string digest(const Batch& batch) {
  std::string bytes = bytes_of(batch.tokens_T) + "|" + bytes_of(batch.layout.document_T) + "|" +
                      bytes_of(batch.layout.branch_T) + "|" + bytes_of(batch.layout.block_T) + "|" +
                      bytes_of(batch.layout.position_T) + "|" + bytes_of(batch.image_rows) + "|" +
                      bytes_of(batch.loss_rows_S) + "|" + bytes_of(batch.targets_S) + "|" +
                      bytes_of(batch.pixels) + "|" + bytes_of(batch.features);
  for (const std::string& name : batch.sample_names) bytes += "|" + name;
  for (const ImageSource& image : batch.images) bytes += "|" + read_image_bytes(image);
  return content_key(bytes);
}

// A step as text: numbers, batches and the state after it.
inline std::string digest(const LoadedStep& step) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {}", step.num_predictions, step.num_rows, step.num_images,
                  step.num_samples, step.progress_before, step.progress_after, step.skipped);
  for (const Batch& batch : step.micro_batches) text += " " + digest(batch);
  return text + " " + step.state_after.dump();
}

inline std::vector<LoadedStep> all_steps(const LoaderOptions& options,
                                         const Json* state = nullptr) {
  Loader loader(options, state);
  std::vector<LoadedStep> steps;
  while (auto step = loader.next()) steps.push_back(std::move(*step));
  return steps;
}

inline std::vector<std::string> digests(const std::vector<LoadedStep>& steps) {
  std::vector<std::string> result;
  for (const LoadedStep& step : steps) result.push_back(digest(step));
  return result;
}

// Two data sets mixed; steps of a few micro-batches each.
struct MadeStage {
  Tokenizer tokenizer = tiny_tokenizer();
  PromptTemplate prompt = PromptTemplate::named("plain", tokenizer);
  SampleEncoder encoder{prompt, kRowsPerPicture};
  MadeDataset first{"first", 90};
  MadeDataset second{"second", 25};
  LoaderOptions options;

  MadeStage() {
    options.entries = {{.dataset = &first}, {.dataset = &second, .weight = 0.5}};
    options.encoder = &encoder;
    options.compose = {.policy = MaskPolicy::image, .rows_per_image = kRowsPerPicture};
    options.epochs = 2;
    options.step_tokens = 400;
    options.micro_tokens = 160;
    options.look_ahead = 20;
    options.seed = 11;
    options.processor = Processor{.size = 8};
  }
};

}  // namespace sightline::test
