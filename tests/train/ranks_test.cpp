// A stage on 1, 2 and 4 ranks: the same samples in each step, the same gradients, the same curve.

#include "tests/ranks.h"

#include "tensor/safetensors.h"
#include "tests/data/loader_fixture.h"
#include "tests/tiny_model.h"
#include "train/stage_trainer.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// Ten pictures in every sixth sample, words alone in the others.
class CrowdedDataset final : public test::MadeDataset {
 public:
  CrowdedDataset() : MadeDataset("crowded", 90) {}
  Example example(size_t number) const override {
    Example example = MadeDataset::example(number);
    example.images.clear();
    const int pictures = number % 6 == 0 ? 10 : 0;
    for (int i = 0; i < pictures; ++i) {
      example.images.push_back(
          {.path = "", .encoded = std::make_shared<const std::string>(test::png_of(number + i))});
    }
    example.conversations.resize(1);
    example.conversations[0][0].images = pictures;
    return example;
  }
};

struct Case {
  const char* name;
  std::vector<std::string> train = {"vision", "connector", "language"};
  int64_t steps = 6;          // at most
  int64_t micro_batches = 3;  // a step, but for the data's last
  double epochs = 60;
  bool crowded = false;
  at::ScalarType dtype = at::kFloat;
  bool weights_anew = true;  // before each step, so that gradients are compared at equal weights
  Sharding sharding = Sharding::none;  // of the several ranks
  Travel travel = Travel::full;        // of gradients between them
};

std::string gradients_name(int64_t step, int64_t rank) {
  return "gradients-" + std::to_string(step) + "-" + std::to_string(rank);
}

// Pictures with words and words alone; three micro-batches a step, so that of four ranks one has
// none, and words alone by themselves on some.
class Training {
 public:
  Training(const Case& each, World& world) : case_(each), world_(world) {
    bundle_.model = test::tiny_model(
        {.dtype = each.dtype, .vocab_size = static_cast<int64_t>(made_.tokenizer.vocab_size())});
    bundle_.processor = Processor{.size = 16};
    made_.options.processor = bundle_.processor;
    made_.options.rank = world.rank();
    made_.options.ranks = world.size();
    made_.options.epochs = each.epochs;
    made_.options.step_tokens = (each.micro_batches - 1) * made_.options.micro_tokens + 30;
    if (each.crowded) made_.options.entries = {{.dataset = &crowded_}};
    loader_ = std::make_unique<Loader>(made_.options);
    trainer_ = std::make_unique<StageTrainer>(
        bundle_,
        StageRecipe{.name = "stage",
                    .train = each.train,
                    .lr = {.base = 1e-3},
                    .dropout = {.base = 0.1},
                    .optimizer = each.weights_anew ? OptimizerKind::adamw : OptimizerKind::muon,
                    .clip = each.weights_anew ? 0.0 : 1.0},
        TrainerOptions{.depth = kFromPixels,
                       .seed = 5,
                       .world = &world,
                       .sharding = each.sharding,
                       .gradients = each.travel});
  }

  void run() {
    std::ofstream samples(test::ranks_folder() / ("samples-" + std::to_string(world_.rank())));
    std::ofstream losses(test::ranks_folder() / ("losses-" + std::to_string(world_.rank())));
    losses.precision(17);
    for (int64_t step = 0; step < case_.steps; ++step) {
      if (case_.weights_anew) take_weights(static_cast<uint64_t>(step) + 2);
      const auto loaded = loader_->next();
      if (!loaded) break;
      const StepReport report = trainer_->step(*loaded, step);
      if (loaded->progress_after < 1) {
        EXPECT_EQ(report.micro_batches, case_.micro_batches);
      }
      losses << report.loss << "\n";
      for (const Batch& batch : loaded->micro_batches) {
        for (const std::string& name : batch.sample_names) samples << step << " " << name << "\n";
      }
      if (case_.weights_anew) write_gradients(step);
    }
    world_.barrier("leaving");
  }

 private:
  void take_weights(uint64_t seed) {
    const c10::NoGradGuard no_grad;
    for (const auto& [name, weight] : bundle_.model->params()) {
      const at::Tensor value = random_parameter(name, weight.sizes().vec(), seed);
      weight.copy_(weight.dim() >= 2 ? value * 8 : value);
    }
  }
  void write_gradients(int64_t step) const {
    ParamMap gradients;
    for (const auto& [name, weight] : bundle_.model->params()) {
      if (weight.grad().defined()) gradients.add(name, weight.grad());
    }
    write_safetensors(test::ranks_folder() / gradients_name(step, world_.rank()), gradients);
  }

  Case case_;
  World& world_;
  CrowdedDataset crowded_;
  test::MadeStage made_;
  Bundle bundle_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<StageTrainer> trainer_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> samples_of(const test::Ranks& ranks, int size) {
  std::vector<std::string> all;
  for (int rank = 0; rank < size; ++rank) {
    for (auto& line : lines_of(ranks.text("samples-" + std::to_string(rank)))) all.push_back(line);
  }
  std::ranges::sort(all);
  return all;
}

// The largest difference over all steps and tensors that a rank holds, as a share of the tensor's
// largest. Each tensor is on some rank.
double difference(const test::Ranks& one, const test::Ranks& several, int size, int64_t steps) {
  double worst = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const SafetensorsFile expected(one.folder() / gradients_name(step, 0));
    std::set<std::string> found_on_some;
    for (int rank = 0; rank < size; ++rank) {
      const SafetensorsFile found(several.folder() / gradients_name(step, rank));
      for (const std::string& tensor : found.names()) {
        found_on_some.insert(tensor);
        const at::Tensor gradient = expected.load(tensor).to(at::kDouble);
        const double largest = gradient.abs().max().item<double>();
        const at::Tensor error = (found.load(tensor).to(at::kDouble) - gradient).abs();
        if (largest == 0) {
          EXPECT_EQ(error.max().item<double>(), 0) << tensor;
        } else {
          worst = std::max(worst, error.max().item<double>() / largest);
        }
      }
    }
    EXPECT_EQ(found_on_some.size(), expected.names().size());
  }
  return worst;
}

void compare(const Case& each, const std::vector<int>& sizes) {
  test::Ranks one(1);
  ASSERT_TRUE(one.all_pass());
  const std::vector<std::string> samples = samples_of(one, 1),
                                 losses = lines_of(one.text("losses-0"));
  const int64_t steps = std::ssize(losses);
  ASSERT_GT(steps, 0);
  if (each.epochs >= 60) {
    ASSERT_EQ(steps, each.steps);
  }
  for (const int size : sizes) {
    test::Ranks several(size);
    ASSERT_TRUE(several.all_pass());
    EXPECT_EQ(samples_of(several, size), samples) << size;
    if (each.weights_anew) {
      const double worst = difference(one, several, size, steps);
      std::printf("%s, %d ranks, %d steps: gradients within %.2g of each tensor's largest\n",
                  each.name, size, static_cast<int>(steps), worst);
      EXPECT_LT(worst, each.travel == Travel::bf16 ? 0.01 : 1e-6);
    }
    const double bound = each.dtype == at::kDouble ? 1e-9 : 1e-5;
    double worst = 0;
    for (int rank = 0; rank < size; ++rank) {
      const auto found = lines_of(several.text("losses-" + std::to_string(rank)));
      ASSERT_EQ(found.size(), losses.size());
      for (size_t i = 0; i < losses.size(); ++i) {
        const double expected = std::stod(losses[i]);
        const double apart = std::abs(std::stod(found[i]) - expected) / expected;
        EXPECT_FALSE(apart > bound && worst <= bound) << "from step " << i << " on";
        worst = std::max(worst, apart);
      }
    }
    std::printf("%s, %d ranks: losses within %.2g\n", each.name, size, worst);
    EXPECT_LT(worst, bound);
  }
}

void run_or_compare(const Case& each, const std::vector<int>& sizes) {
  if (!test::is_rank()) return compare(each, sizes);
  World world(read_place(), {.silence = std::chrono::seconds(60)});
  Training(each, world).run();
}

TEST(Ranks, GradientsAreThoseOfOneRank) { run_or_compare({.name = "all parts", .steps = 6}, {2}); }

TEST(Ranks, WordsAloneNeverTouchTheConnector) {
  run_or_compare({.name = "the connector", .train = {"connector"}, .steps = 6}, {4});
}

TEST(Ranks, ShardedOptimizer) {
  run_or_compare({.name = "ZeRO-1", .sharding = Sharding::optimizer}, {2});
}

TEST(Ranks, ShardedGradients) {
  run_or_compare({.name = "ZeRO-2", .sharding = Sharding::gradients}, {2, 4});
}

// 8 micro-batches a step: on one rank, and as 4, 2 and 1 on each of 2, 4 and 8.
TEST(Ranks, AccumulationTimesRanks) {
  run_or_compare({.name = "eight micro-batches", .steps = 3, .micro_batches = 8}, {2, 4, 8});
}

// Ranks of words alone beside one with all the pictures, and in the data's last step ranks with
// nothing at all.
TEST(Ranks, MixedBatchesToTheDatasEnd) {
  run_or_compare({.name = "crowded", .steps = 40, .epochs = 1, .crowded = true}, {2, 4});
}

// Each number of bf16 is within 0.4 %, and so is each addition.
TEST(Ranks, GradientsTravelInSixteenBits) {
  run_or_compare({.name = "bf16 sums", .steps = 3, .travel = Travel::bf16}, {2});
}

TEST(Ranks, ShardedGradientsTravelInSixteenBits) {
  run_or_compare({.name = "bf16 sums, ZeRO-2",
                  .steps = 3,
                  .sharding = Sharding::gradients,
                  .travel = Travel::bf16},
                 {2});
}

Case curve_of(const char* name, Sharding sharding) {
  return {.name = name,
          .steps = 200,
          .dtype = at::kDouble,
          .weights_anew = false,
          .sharding = sharding};
}

TEST(SlowRanks, CurvesUnderAShardedOptimizer) {
  run_or_compare(curve_of("ZeRO-1, a curve", Sharding::optimizer), {2, 4});
}

TEST(SlowRanks, CurvesUnderShardedGradients) {
  run_or_compare(curve_of("ZeRO-2, a curve", Sharding::gradients), {2, 4});
}

TEST(SlowRanks, TwoHundredStepsOnTwoAndFour) {
  run_or_compare({.name = "all parts", .steps = 200}, {2, 4});
}

TEST(SlowRanks, CurvesAreTheSameInDoublePrecision) {
  run_or_compare(curve_of("a curve", Sharding::none), {2, 4});
}

}  // namespace
}  // namespace sightline
