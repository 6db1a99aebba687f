// Captions or questions of one picture as branches that share its rows, against each as a document
// with a copy of the picture: the same forward and backward passes, losses and gradients, on real
// captions (Flickr8k) and real questions (DAQUAR). Needs SIGHTLINE_DATA; pictures' features and
// pixels are random numbers, which cost what real ones do.

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "batch/compose.h"
#include "bench/ratio.h"
#include "data/dataset.h"
#include "sample/encoder.h"
#include "text/tokenizer_training.h"
#include "train/stage_trainer.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMicroTokens = 4096;

std::vector<Example> flickr_examples(const fs::path& folder, size_t count) {
  DataRecipe recipe;
  recipe.format = DataFormat::flickr;
  recipe.annotations = (folder / "Flickr8k.token.txt").string();
  recipe.images = (folder / "images").string();
  recipe.split = (folder / "Flickr_8k.trainImages.txt").string();
  const auto dataset = open_dataset("flickr8k", recipe);
  std::vector<Example> examples;
  for (size_t i = 0; i < count; ++i) examples.push_back(dataset->example(i));
  return examples;
}

// The rows of data_train.csv, "question,answer,image", by picture: each question a conversation. An
// answer of several words holds commas, so the question ends at the first and the image begins
// behind the last.
std::vector<Example> daquar_examples(const fs::path& folder, size_t count) {
  std::map<std::string, Example> by_picture;
  std::istringstream lines(read_file(folder / "data_train.csv"));
  std::string line;
  std::getline(lines, line);  // the header
  while (std::getline(lines, line)) {
    const size_t first = line.find(','), last = line.rfind(',');
    const std::string picture = line.substr(last + 1);
    Example& example = by_picture[picture];
    example.where = picture;
    example.images = {{.path = picture}};
    example.conversations.push_back(
        {{.role = Role::user, .text = line.substr(0, first), .images = 1},
         {.role = Role::assistant, .text = line.substr(first + 1, last - first - 1)}});
  }
  std::vector<Example> examples;
  for (auto& [picture, example] : by_picture) {
    if (examples.size() < count) examples.push_back(std::move(example));
  }
  return examples;
}

Tokenizer tokenizer_of(std::span<const Example> examples) {
  std::vector<std::string> lines;
  for (const Example& example : examples) {
    for (const auto& turns : example.conversations) {
      for (const Turn& turn : turns) lines.push_back(turn.text);
    }
  }
  return train_tokenizer(lines, {.vocab_size = 2000});
}

// ViT-tiny before 6 layers of 256, in random numbers.
std::unique_ptr<Model> model_of(ConnectorConfig connector, int64_t vocab_size,
                                at::ScalarType dtype) {
  ModelConfig config;
  config.vision = VisionConfig{};
  config.connector = connector;
  config.language = LanguageConfig{.vocab_size = vocab_size};
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    params.add(name, random_parameter(name, shape, 1, 1.0 / 16).to(dtype));
  }
  return std::make_unique<Model>(config, std::move(params));
}

// A picture's features or pixels, the same wherever it is shown.
void put_pictures(Batch& batch, const Model& model, int64_t depth) {
  const auto shape = model.vision().shape_at(depth == kFromPixels ? 0 : depth);
  const int64_t side = model.vision().config().image_size;
  for (const ImageSource& image : batch.images) {
    const std::vector<int64_t> size =
        depth == kFromPixels ? std::vector<int64_t>{3, side, side} : shape;
    const at::Tensor numbers = random_parameter(image.path, size, 2, 1.0);
    if (depth == kFromPixels) {
      const float* from = numbers.data_ptr<float>();
      batch.pixels.insert(batch.pixels.end(), from, from + numbers.numel());
    } else {
      const at::Tensor bits = numbers.to(at::kBFloat16).view(at::kShort);
      const auto* from = bits.data_ptr<int16_t>();
      batch.features.insert(batch.features.end(), from, from + bits.numel());
    }
  }
}

struct Work {
  std::vector<Batch> batches;
  int64_t rows = 0, predictions = 0;
};

Work work_of(std::span<const Sample> samples, const Model& model, int64_t depth, Sharing sharing) {
  const ComposeOptions options{.rows_per_image = model.config().rows_per_image(),
                               .sharing = sharing};
  Work work;
  std::vector<const Sample*> chosen;
  int64_t rows = 0;
  const auto flush = [&] {
    if (chosen.empty()) return;
    Batch& batch = work.batches.emplace_back(compose(chosen, options));
    put_pictures(batch, model, depth);
    work.rows += batch.rows();
    work.predictions += batch.num_predictions();
    chosen.clear();
    rows = 0;
  };
  for (const Sample& sample : samples) {
    const int64_t more = packed_rows(sample, options);
    if (rows + more > kMicroTokens) flush();
    chosen.push_back(&sample);
    rows += more;
  }
  flush();
  return work;
}

double pass(const Model& model, const Work& work, int64_t depth) {
  double loss = 0;
  for (const auto& [name, tensor] : model.params()) {
    if (tensor.grad().defined()) at::Tensor(tensor).mutable_grad().zero_();
  }
  for (const Batch& batch : work.batches) {
    const at::Tensor part = batch_loss(model, batch, depth, static_cast<double>(work.predictions));
    part.backward();
    loss += part.item<double>();
  }
  return loss;
}

struct Difference {
  double most = 0;  // of a gradient, over the largest number of its tensor
  std::string tensor;
};

// The keys' biases are left out: they move no attention, and their gradients are rounding alone.
Difference gradient_difference(const Model& model, const Work& a, const Work& b, int64_t depth) {
  pass(model, a, depth);
  std::vector<at::Tensor> gradients;
  for (const auto& [name, tensor] : model.params()) {
    gradients.push_back(tensor.grad().defined() ? tensor.grad().clone() : at::Tensor());
  }
  pass(model, b, depth);
  Difference worst;
  for (size_t i = 0; const auto& [name, tensor] : model.params()) {
    const at::Tensor& gradient = gradients[i++];
    if (!gradient.defined() || name.ends_with(".key.bias")) continue;
    const double largest = gradient.abs().max().item<double>();
    const double difference = (gradient - tensor.grad()).abs().max().item<double>();
    if (difference > worst.most * largest) worst = {difference / largest, name};
  }
  return worst;
}

struct Setting {
  std::string name;
  ConnectorConfig connector;
  at::ScalarType dtype;
  bool from_pixels;
};

void measure(const std::string& data, std::span<const Example> examples, const Setting& setting) {
  const Tokenizer tokenizer = tokenizer_of(examples);
  const auto model = model_of(setting.connector, tokenizer.vocab_size(), setting.dtype);
  const int64_t depth =
      setting.from_pixels ? kFromPixels : model->config().vision->num_hidden_layers + 1;
  for (const auto& [name, tensor] : model->params()) {
    tensor.set_requires_grad(setting.from_pixels || !name.starts_with("vision."));
  }
  const PromptTemplate plain = PromptTemplate::named("plain", tokenizer);
  const SampleEncoder encoder(plain, model->config().rows_per_image());
  std::vector<Sample> samples;
  int64_t conversations = 0;
  for (const Example& example : examples) {
    samples.push_back(encoder.encode(example));
    conversations += std::ssize(example.conversations);
  }
  const Work branches = work_of(samples, *model, depth, Sharing::by_policy);
  const Work documents = work_of(samples, *model, depth, Sharing::never);
  std::printf("%s, %s: %zu pictures, %lld conversations; rows %lld against %lld: %.2fx\n",
              data.c_str(), setting.name.c_str(), samples.size(),
              static_cast<long long>(conversations), static_cast<long long>(branches.rows),
              static_cast<long long>(documents.rows),
              static_cast<double>(documents.rows) / static_cast<double>(branches.rows));
  const double loss = pass(*model, branches, depth), apart = pass(*model, documents, depth);
  std::printf("  loss %.6f against %.6f\n", loss, apart);
  if (setting.dtype == at::kFloat) {  // 16-bit sums are rounded each in its own order
    const Difference worst = gradient_difference(*model, branches, documents, depth);
    std::printf("  gradients differ by at most %.1e of a tensor's largest (%s)\n", worst.most,
                worst.tensor.c_str());
  }
  const auto ours_ms =
      bench::compare("  forward and backward", {"branches", [&] { pass(*model, branches, depth); }},
                     {"documents", [&] { pass(*model, documents, depth); }}, 7);
  const double per_second = 1000.0 / ours_ms.ours;
  std::printf(
      "  branches: %.0f conversations/s, %.0f rows/s as documents would have them, %.3f ms a "
      "thousand rows; documents: %.0f rows/s, %.3f ms a thousand rows\n",
      static_cast<double>(conversations) * per_second,
      static_cast<double>(documents.rows) * per_second,
      1000 * ours_ms.ours / static_cast<double>(branches.rows),
      static_cast<double>(documents.rows) * 1000.0 / ours_ms.peer,
      1000 * ours_ms.peer / static_cast<double>(documents.rows));
}

}  // namespace
}  // namespace sightline

// An argument chooses the settings whose name holds it.
int main(int count, char** arguments) {
  using namespace sightline;
  const char* data = std::getenv("SIGHTLINE_DATA");
  const fs::path folder = data == nullptr ? "../shared/data" : data;
  if (!fs::exists(folder / "flickr8k") || !fs::exists(folder / "daquar")) {
    std::printf("needs flickr8k and daquar in %s (SIGHTLINE_DATA)\n", folder.c_str());
    return 0;
  }
  const auto captions = flickr_examples(folder / "flickr8k", 12);
  const auto questions = daquar_examples(folder / "daquar", 12);
  const ConnectorConfig mlp{.kind = ConnectorKind::mlp, .factor = 1};
  const ConnectorConfig shuffle{.kind = ConnectorKind::shuffle, .factor = 2};
  for (const Setting& setting :
       {Setting{"196 rows a picture, fp32, stored features", mlp, at::kFloat, false},
        Setting{"196 rows a picture, bf16, stored features", mlp, at::kBFloat16, false},
        Setting{"49 rows a picture, bf16, stored features", shuffle, at::kBFloat16, false},
        Setting{"49 rows a picture, fp32, vision model trained", shuffle, at::kFloat, true},
        Setting{"49 rows a picture, bf16, vision model trained", shuffle, at::kBFloat16, true}}) {
    if (count > 1 && setting.name.find(arguments[1]) == std::string::npos) continue;
    measure("Flickr8k", captions, setting);
    measure("DAQUAR", questions, setting);
  }
}
