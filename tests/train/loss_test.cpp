// The loss of a step is the same however its samples are packed, branched and accumulated; the fast
// loss equals its plain definition; gradients equal central differences.

#include "train/loss.h"

#include "base/error.h"
#include "batch/compose.h"
#include "tests/tiny_model.h"
#include "train/stage_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::tiny_model;
using test::tiny_rows;

constexpr int64_t kRowsPerImage = 4;

// Samples of one to three conversations over one picture (or none): sharing all but the answers.
std::vector<Sample> samples(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<Sample> list;
  for (size_t i = 0; i < count; ++i) {
    Sample sample;
    sample.where = fmt::format("sample:{}", i);
    const int images = i % 4 == 3 ? 0 : 1;
    for (int k = 0; k < images; ++k) sample.images.emplace_back().path = fmt::format("{}.png", i);
    const uint64_t prompt_seed = rng.next();
    const auto conversations = 1 + rng.below(3);
    for (uint64_t c = 0; c < conversations; ++c) {
      Rng prompt(prompt_seed);  // the same words to all, then each its own answer
      Rows rows = tiny_rows(prompt, images, kRowsPerImage, 2, 0);
      const auto answer = 1 + rng.below(5);
      for (uint64_t k = 0; k < answer; ++k) {
        rows.tokens.push_back(static_cast<int32_t>(rng.below(40)));
        rows.kinds.push_back(RowKind::assistant);
        rows.supervised.push_back(1);
      }
      sample.conversations.push_back(rows);
    }
    list.push_back(sample);
  }
  return list;
}

// Stands in for the loader: each picture's pixels are a function of its name.
void put_pixels(Batch& batch, int64_t side) {
  for (const ImageSource& image : batch.images) {
    const at::Tensor pixels = random_parameter(image.path, {3, side, side}, 9) * 50;
    const float* values = pixels.data_ptr<float>();
    batch.pixels.insert(batch.pixels.end(), values, values + pixels.numel());
  }
}

struct Result {
  double loss = 0;
  std::vector<at::Tensor> gradients;
};

using Packing = std::vector<std::vector<size_t>>;  // micro-batches of sample numbers

std::vector<Batch> batches_of(const std::vector<Sample>& list, const Packing& packing,
                              const ComposeOptions& options) {
  std::vector<Batch> batches;
  for (const auto& numbers : packing) {
    std::vector<const Sample*> chosen;
    for (const size_t number : numbers) chosen.push_back(&list[number]);
    batches.push_back(compose(chosen, options));
    put_pixels(batches.back(), 16);
  }
  return batches;
}

Result run(Model& model, const std::vector<Sample>& list, const Packing& packing,
           const ComposeOptions& options) {
  Result result;
  for (const auto& [name, tensor] : model.params()) {
    tensor.set_requires_grad(true);
    tensor.mutable_grad() = at::zeros_like(tensor.detach());
  }
  const std::vector<Batch> batches = batches_of(list, packing, options);
  int64_t predictions = 0;
  for (const Batch& batch : batches) predictions += batch.num_predictions();
  for (const Batch& batch : batches) {
    const at::Tensor loss = batch_loss(model, batch, kFromPixels, static_cast<double>(predictions));
    loss.backward();
    result.loss += loss.item<double>();
  }
  for (const auto& [name, tensor] : model.params()) result.gradients.push_back(tensor.grad());
  return result;
}

void expect_equal(const Result& a, const Result& b, double tolerance) {
  EXPECT_NEAR(a.loss, b.loss, tolerance * std::max(1.0, std::abs(a.loss)));
  double scale = 0, worst = 0;
  for (size_t i = 0; i < a.gradients.size(); ++i) {
    const double largest = a.gradients[i].abs().max().item<double>();
    scale = std::max(scale, largest);
    const double difference = (a.gradients[i] - b.gradients[i]).abs().max().item<double>();
    worst = std::max(worst, difference / std::max(1e-3, largest));
  }
  EXPECT_GT(scale, 1e-3);  // something was learnt
  EXPECT_LE(worst, tolerance);
}

Packing one_each(size_t count) {
  Packing packing;
  for (size_t i = 0; i < count; ++i) packing.push_back({i});
  return packing;
}

class EveryPolicy : public testing::TestWithParam<MaskPolicy> {};

TEST_P(EveryPolicy, PackedEqualsUnpackedAndAccumulatedEqualsAtOnce) {
  const auto model = tiny_model();
  const auto list = samples(8, 5);
  const ComposeOptions options{.policy = GetParam(), .rows_per_image = kRowsPerImage};
  const Result apart = run(*model, list, one_each(8), options);
  expect_equal(apart, run(*model, list, {{0, 1, 2, 3, 4, 5, 6, 7}}, options), 1e-5);
  expect_equal(apart, run(*model, list, {{6, 1, 3}, {0, 2}, {7, 4, 5}}, options), 1e-5);
}

TEST_P(EveryPolicy, BranchedEqualsSeparateDocuments) {
  const auto model = tiny_model();
  const auto list = samples(8, 6);
  const Packing packing = {{0, 1, 2, 3}, {4, 5, 6, 7}};
  ComposeOptions options{.policy = GetParam(), .rows_per_image = kRowsPerImage};
  const Result branched = run(*model, list, packing, options);
  options.sharing = Sharing::never;
  expect_equal(branched, run(*model, list, packing, options), 1e-5);
}

TEST_P(EveryPolicy, GradientsEqualCentralDifferencesInDouble) {
  const auto model = tiny_model({.dtype = at::kDouble});
  const auto list = samples(4, 7);
  const ComposeOptions options{.policy = GetParam(), .rows_per_image = kRowsPerImage};
  const Packing packing = {{0, 1, 2, 3}};
  const Result result = run(*model, list, packing, options);
  Rng rng(8);
  size_t number = 0;
  for (const auto& [name, tensor] : model->params()) {
    const at::Tensor values = tensor.detach().view({-1});
    const auto index = static_cast<int64_t>(rng.below(static_cast<uint64_t>(values.numel())));
    double* value = values.data_ptr<double>() + index;
    const double original = *value, step = 1e-5;
    *value = original + step;
    const double above = run(*model, list, packing, options).loss;
    *value = original - step;
    const double below = run(*model, list, packing, options).loss;
    *value = original;
    const double expected = (above - below) / (2 * step);
    const double found = result.gradients[number++].view({-1})[index].item<double>();
    EXPECT_NEAR(found, expected, 1e-7 + 1e-5 * std::abs(expected)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Masks, EveryPolicy,
                         testing::Values(MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix,
                                         MaskPolicy::question));

// A whole step of StageTrainer.
Result step_with(int64_t side_by_side, const std::vector<Sample>& list, const Packing& packing,
                 const ByPart& dropout = {}) {
  Bundle bundle;
  bundle.model = tiny_model();
  StageRecipe stage;
  stage.name = "s";
  stage.train = {"vision", "connector", "language"};
  stage.lr.base = 1e-3;
  stage.clip = 0;
  stage.dropout = dropout;
  StageTrainer trainer(bundle, stage, {.depth = kFromPixels, .side_by_side = side_by_side});
  LoadedStep loaded;
  loaded.micro_batches = batches_of(list, packing, {.rows_per_image = kRowsPerImage});
  for (const Batch& batch : loaded.micro_batches) loaded.num_predictions += batch.num_predictions();
  Result result;
  result.loss = trainer.step(loaded, 0).loss;
  for (const auto& [name, tensor] : bundle.model->params()) {
    result.gradients.push_back(tensor.grad());
    result.gradients.push_back(tensor.detach());
  }
  return result;
}

TEST(Step, IsTheSameWithItsMicroBatchesSideBySide) {
  const auto list = samples(8, 11);
  const Packing packing = {{0, 1}, {2}, {3, 4}, {5, 6}, {7}};  // 3 and 7 are without a picture
  const Result one_by_one = step_with(1, list, packing);
  for (const int64_t at_once : {2, 3, 8}) {
    const Result together = step_with(at_once, list, packing);
    expect_equal(one_by_one, together, 1e-4);
    const Result again = step_with(at_once, list, packing);
    EXPECT_EQ(together.loss, again.loss);
    for (size_t i = 0; i < again.gradients.size(); ++i) {
      EXPECT_TRUE(at::equal(together.gradients[i], again.gradients[i])) << at_once;
    }
  }
}

// Masks belong to a micro-batch's number, not to the thread that computes it.
TEST(Step, DropsTheSameSideBySide) {
  const auto list = samples(8, 11);
  const Packing packing = {{0, 1}, {2}, {3, 4}, {5, 6}, {7}};
  const Result none = step_with(1, list, packing);
  for (const ByPart& dropout : {ByPart{.base = 0.3}, ByPart{.vision = 0.3},
                                ByPart{.connector = 0.3}, ByPart{.language = 0.3}}) {
    const Result one_by_one = step_with(1, list, packing, dropout);
    EXPECT_GT(std::abs(one_by_one.loss - none.loss), 1e-5);
    expect_equal(one_by_one, step_with(2, list, packing, dropout), 1e-4);
    EXPECT_EQ(one_by_one.loss, step_with(1, list, packing, dropout).loss);
  }
}

TEST(AnswerLoss, EqualsItsPlainDefinitionInChunks) {
  const at::Tensor hidden = random_parameter("hidden", {30, 16}, 1) * 50;
  const at::Tensor head = random_parameter("head", {40, 16}, 2) * 50;
  const std::vector<int32_t> rows = {0, 3, 3, 7, 29, 12, 12, 12},
                             targets = {1, 2, 39, 0, 5, 5, 6, 7};
  const auto gradients = [&](auto&& loss_of) {
    const at::Tensor h = hidden.clone().set_requires_grad(true);
    const at::Tensor w = head.clone().set_requires_grad(true);
    const at::Tensor loss = loss_of(h, w);
    loss.backward();
    return std::vector<at::Tensor>{loss.detach(), h.grad(), w.grad()};
  };
  const auto plain = gradients([&](const at::Tensor& h, const at::Tensor& w) {
    return plain_answer_loss(h, w, rows, targets, 3.0);
  });
  for (const int64_t chunk : {1, 3, 8, 100}) {
    const auto fast = gradients([&](const at::Tensor& h, const at::Tensor& w) {
      return answer_loss(h, w, rows, targets, {.divisor = 3.0, .chunk = chunk});
    });
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_LE((fast[i] - plain[i]).abs().max().item<double>(),
                1e-5 * std::max(1.0, plain[i].abs().max().item<double>()));
    }
  }
}

TEST(AnswerLoss, AFrozenHeadGetsNoGradient) {
  const at::Tensor hidden = random_parameter("hidden", {5, 16}, 1).set_requires_grad(true);
  const at::Tensor head = random_parameter("head", {40, 16}, 2);
  const std::vector<int32_t> rows = {1, 2}, targets = {3, 4};
  answer_loss(hidden, head, rows, targets, {}).backward();
  EXPECT_TRUE(hidden.grad().defined());
  EXPECT_FALSE(head.grad().defined());
}

TEST(Leak, NoRowChangesByABitWhereItMayNotSee) {
  const auto model = tiny_model();
  const auto list = samples(6, 11);
  std::vector<const Sample*> chosen;
  for (const Sample& sample : list) chosen.push_back(&sample);
  for (const MaskPolicy policy :
       {MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix, MaskPolicy::question}) {
    Batch batch = compose(chosen, {.policy = policy, .rows_per_image = kRowsPerImage});
    put_pixels(batch, 16);
    const at::Tensor pixels =
        at::zeros_like(random_parameter("p", {batch.num_images(), 3, 16, 16}, 1));
    const at::Tensor image_rows = model->image_rows(pixels, kFromPixels);
    const at::Tensor before = model->forward(batch, image_rows);
    for (int64_t changed = 0; changed < batch.rows(); changed += 3) {
      Batch other = batch;
      if (other.tokens_T[changed] == kImageRow) continue;
      other.tokens_T[changed] = (other.tokens_T[changed] + 7) % 40;
      const at::Tensor after = model->forward(other, image_rows);
      for (int64_t row = 0; row < batch.rows(); ++row) {
        // What a row sees through two layers it sees through rows that it sees: the rule is
        // transitive under all four policies, so one look at it is enough.
        if (allowed(batch.layout, row, changed)) continue;
        EXPECT_TRUE(before[row].equal(after[row])) << "row " << row << " sees " << changed;
      }
    }
  }
}

}  // namespace
}  // namespace sightline
