// Operations that the plan counts against those that LibTorch carries out, by an observer of its
// products; and what a whole recipe's plan adds up to.

#include "plan/flops.h"

// LibTorch is built so, and its RecordFunction has another member otherwise.
#ifndef NDEBUG
#define NDEBUG
#endif

#include "tests/plan/cases.h"
#include "train/stage_data.h"
#include "train/stage_trainer.h"

#include <atomic>
#include <string_view>

#include <ATen/record_function.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

std::atomic<int64_t> counted = 0;

int64_t product(const at::Tensor& a, const at::Tensor& b) { return 2 * a.numel() * b.size(-1); }

// 2 x multiply-adds of LibTorch's products, by the shapes that go in.
int64_t operations(std::string_view name, c10::ArrayRef<const c10::IValue> inputs) {
  const auto tensor = [&](size_t i) { return inputs.at(i).toTensor(); };
  if (name == "aten::mm" || name == "aten::bmm") return product(tensor(0), tensor(1));
  if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::baddbmm_") {
    return product(tensor(1), tensor(2));
  }
  if (name == "aten::convolution") {  // patches: what is left of the pixels, times the outputs
    const at::Tensor x = tensor(0), weight = tensor(1);
    const int64_t patches = (x.size(2) / weight.size(2)) * (x.size(3) / weight.size(3)) * x.size(0);
    return 2 * patches * weight.numel();
  }
  if (name == "aten::convolution_backward") {  // the weights' alone: pixels need none
    const at::Tensor gradient = tensor(0), weight = tensor(2);
    return 2 * gradient.size(0) * gradient.size(2) * gradient.size(3) * weight.numel();
  }
  const bool attention = name == "aten::_scaled_dot_product_flash_attention_for_cpu";
  if (attention) return 4 * tensor(0).numel() * tensor(1).size(2);
  // Scores again, and the gradients of values, weights, queries and keys: five products.
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu_backward") {
    return 10 * tensor(1).numel() * tensor(2).size(2);
  }
  return 0;
}

class Observer {
 public:
  Observer() {
    counted = 0;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(
            [](const at::RecordFunction& call) -> std::unique_ptr<at::ObserverContext> {
              counted += operations(call.name(), call.inputs());
              return nullptr;
            })
            .needsInputs(true)
            .scopes({at::RecordScope::FUNCTION}));
  }
  ~Observer() { at::removeCallback(handle_); }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  double count() const { return static_cast<double>(counted); }

 private:
  at::CallbackHandle handle_;
};

TEST(Flops, AreThoseThatLibTorchCarriesOut) {
  for (const test::Case& each : test::cases()) {
    const StageRecipe stage = test::stage_of(each);
    Bundle bundle = test::bundle_of(each);
    const Trainable trains = trainable_of(stage, each.config);
    const int64_t depth = stored_depth(stage, each.config);
    const LoadedStep step = test::step_of(each, depth);
    const FlopCounter counter(each.config, stage, depth);
    const Flops planned = counter.of(work_of(step.micro_batches.front()));

    StageTrainer trainer(bundle, stage, {.depth = depth});
    double forward = 0, all = 0;
    {
      const Observer observer;
      batch_loss(*bundle.model, step.micro_batches.front(), depth, 1.0);
      forward = observer.count();
    }
    {
      const Observer observer;
      trainer.step(step, 0);
      all = observer.count();
    }
    // The loss's forward pass makes its gradients too.
    const double head = 2.0 * static_cast<double>(step.micro_batches.front().num_predictions() *
                                                  each.config.language->hidden_size *
                                                  each.config.language->vocab_size);
    const bool trains_head =
        trains(each.config.language->tie_word_embeddings ? "language.model.embed_tokens.weight"
                                                         : "language.lm_head.weight");
    EXPECT_NEAR((planned.forward + head * (trains_head ? 2 : 1)) / forward, 1.0, 0.02) << each.what;
    EXPECT_NEAR((planned.total() + counter.optimizer_step()) / all, 1.0, 0.02) << each.what;
    printf("%-28s forward %.4f, step %.4f of the operator count\n", each.what.c_str(),
           (planned.forward + head * (trains_head ? 2 : 1)) / forward,
           (planned.total() + counter.optimizer_step()) / all);
  }
}

}  // namespace
}  // namespace sightline
