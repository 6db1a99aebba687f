// [[stage]]: its steps, rates and optimizer.

#include "base/error.h"
#include "recipe/sections.h"

namespace sightline {

namespace {

constexpr NumberRange kShare = between(0, 1);
constexpr NumberRange kPositiveShare = {.least = 0, .most = 1, .low = NumberRange::End::open};
constexpr NumberRange kBelowOne = {.least = 0, .most = 1, .high = NumberRange::End::open};

// A number for all parts, or a table with one for each.
void read_by_part(TableReader& reader, std::string_view key, ByPart& numbers,
                  const NumberRange& range) {
  const toml::node* node = reader.find(key);
  if (node == nullptr) return;
  if (!node->is_table()) return reader.read(key, numbers.base, range);
  TableReader inner(*node->as_table(), fmt::format("{} of {}", key, reader.title()),
                    reader.problems());
  inner.read("base", numbers.base, range);
  inner.read("vision", numbers.vision, range);
  inner.read("connector", numbers.connector, range);
  inner.read("language", numbers.language, range);
  inner.finish();
}

void read_steps(TableReader& reader, StageRecipe& stage) {
  reader.read("epochs", stage.epochs, above(0));
  reader.read("max_steps", stage.max_steps, at_least(0));
  reader.read("step_tokens", stage.step_tokens, between(1, 1e12));
  reader.read("micro_tokens", stage.micro_tokens, between(1, 1e12));
  if (stage.step_tokens >= stage.micro_tokens) return;
  const std::string_view key = reader.has("step_tokens") ? "step_tokens" : "micro_tokens";
  reader.wrong(key, fmt::format("step_tokens {} in {} is below micro_tokens {}{}: a step holds at "
                                "least one forward, so raise step_tokens or lower micro_tokens",
                                stage.step_tokens, reader.title(), stage.micro_tokens,
                                reader.has("micro_tokens") ? "" : " (the default)"));
}

void read_rates(TableReader& reader, StageRecipe& stage) {
  read_by_part(reader, "lr", stage.lr, kPositiveShare);
  reader.read("warmup", stage.warmup, kShare);
  reader.read("schedule", stage.schedule);
  reader.read("decay_share", stage.decay_share, kPositiveShare);
  reader.read("final_lr", stage.final_lr, kShare);
  reader.read("layer_decay", stage.layer_decay, kPositiveShare);
  if (stage.schedule == Schedule::wsd && stage.warmup + stage.decay_share > 1) {
    reader.wrong("decay_share",
                 fmt::format("warmup {} and decay_share {} in {} are more than the whole stage "
                             "together: lower one",
                             stage.warmup, stage.decay_share, reader.title()));
  }
}

void read_optimizer(TableReader& reader, StageRecipe& stage) {
  read_by_part(reader, "weight_decay", stage.weight_decay, kShare);
  reader.read("optimizer", stage.optimizer);
  reader.read("beta1", stage.beta1, kBelowOne);
  reader.read("beta2", stage.beta2, kBelowOne);
  reader.read("epsilon", stage.epsilon, kPositiveShare);
  reader.read("clip", stage.clip, at_least(0));
}

}  // namespace

void read_training(TableReader& reader, StageRecipe& stage) {
  read_steps(reader, stage);
  read_rates(reader, stage);
  read_optimizer(reader, stage);
  read_by_part(reader, "dropout", stage.dropout, kBelowOne);
  reader.read("ema", stage.ema, kBelowOne);
}

}  // namespace sightline
