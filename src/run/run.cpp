#include "run/run.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "bundle/bundle.h"
#include "evaluate/result.h"
#include "evaluate/task.h"
#include "recipe/parse.h"
#include "run/run_log.h"
#include "run/stage_input.h"
#include "train/checkpoint.h"
#include "train/reconstruct.h"
#include "train/stage_trainer.h"

#include <atomic>
#include <cmath>
#include <csignal>
#include <optional>

#include <ATen/Parallel.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::atomic<bool> stop_requested = false;

extern "C" void request_stop(int) { stop_requested = true; }

// What the run carries from step to step beyond the model: kept in every checkpoint's notes.
struct Notes {
  double seconds = 0;  // of training so far, earlier sessions included
  std::optional<double> best;
  int64_t best_step = 0;
};

Json to_json(const Notes& notes) {
  return {{"seconds", notes.seconds},
          {"best", notes.best ? Json(*notes.best) : Json()},
          {"best_step", notes.best_step}};
}

Notes notes_from_json(const Json& json) {
  Notes notes;
  notes.seconds = json.at("seconds").get<double>();
  if (!json.at("best").is_null()) notes.best = json.at("best").get<double>();
  notes.best_step = json.at("best_step").get<int64_t>();
  return notes;
}

class RecipeRun {
 public:
  RecipeRun(const Recipe& recipe, const RunOptions& options);
  void train();

 private:
  void open_folder();
  void resume();
  void run_stage();
  void after_step(const StepReport& report, const LoadedStep& loaded, StageTrainer& trainer,
                  const Loader& loader);
  void log_step(const StepReport& report, const Loader& loader, int64_t skipped);
  void show_progress(const StepReport& report);
  void evaluate();
  void keep_best(const std::map<std::string, double>& scores);
  void save_checkpoint(const Optimizer* optimizer);
  std::string card() const;
  const StageRecipe& stage() const { return recipe_.stages[static_cast<size_t>(state_.stage)]; }

  const Recipe& recipe_;
  RunOptions options_;
  Bundle bundle_;
  CheckpointFolder checkpoints_;
  RunState state_;
  Notes notes_;
  std::optional<fs::path> resumed_from_;
  std::optional<RunLog> log_;
  Progress progress_;
  double step_started_ = 0, stage_started_ = 0, stage_start_progress_ = 0;
  double smooth_loss_ = 0;
  int64_t stage_rows_ = 0;
  int64_t saved_step_ = -1;
};

RecipeRun::RecipeRun(const Recipe& recipe, const RunOptions& options)
    : recipe_(recipe),
      options_(options),
      bundle_((open_folder(),
               make_bundle(recipe.model, recipe.seed,
                           recipe.numbers == NumberType::bf16 ? at::kBFloat16 : at::kFloat))),
      checkpoints_(options.folder / "checkpoints", recipe.checkpoint.keep) {
  for (const StageRecipe& each : recipe.stages) {
    if (each.objective != Objective::reconstruct) continue;
    add_reconstruct_parameters(*bundle_.model, recipe.seed);
    break;
  }
  bundle_.recipe = print_recipe(recipe);
  resume();
  log_.emplace(options.folder / "run.jsonl", state_.step);
}

void RecipeRun::open_folder() {
  const fs::path recipe_file = options_.folder / "recipe.toml";
  const std::string text = print_recipe(recipe_);
  if (fs::exists(recipe_file)) {
    if (options_.resume == Resume::no) {
      fail_usage(
          "{}: a run is there already; go on with --resume, or name another folder with "
          "--output",
          options_.folder.string());
    }
    if (read_file(recipe_file) != text) {
      fail_usage(
          "{}: differs from the recipe given; resume with the recipe the run was begun with, "
          "or begin anew with another --output",
          recipe_file.string());
    }
    return;
  }
  std::error_code code;
  fs::create_directories(options_.folder, code);
  check(!code, "{}: cannot create the folder: {}", options_.folder.string(), code.message());
  write_file(recipe_file, text);
}

void RecipeRun::resume() {
  if (options_.resume == Resume::no) return;
  const auto checkpoint = checkpoints_.newest();
  if (!checkpoint) return log("no checkpoint in {} yet: starting", options_.folder.string());
  resumed_from_ = *checkpoint;
  state_ = checkpoints_.read_state(*checkpoint);
  checkpoints_.restore_weights(*checkpoint, bundle_.model->params());
  notes_ = notes_from_json(state_.notes);
  saved_step_ = state_.step;
  log("resuming from {}", checkpoint->string());
}

void RecipeRun::train() {
  const auto count = static_cast<int64_t>(recipe_.stages.size());
  while (state_.stage < count) run_stage();
  bundle_.recipe = print_recipe(recipe_);
  for (const auto& [name, tensor] : bundle_.model->params()) tensor.set_requires_grad(false);
  save_bundle(options_.folder / "model", bundle_, card());
  log("{}: {} steps in {}; the model is {}", recipe_.name, state_.step,
      format_duration(notes_.seconds), (options_.folder / "model").string());
}

void RecipeRun::run_stage() {
  const StageRecipe& current = stage();
  bundle_.mask = current.mask.value_or(recipe_.model.mask);
  crash_point("stage.begun");
  StageInput input(recipe_, state_.stage, bundle_, state_.loader,
                   (options_.folder / "skipped.txt").string());
  StageTrainer trainer(bundle_, current,
                       {.depth = input.depth(),
                        .seed = derive_seed(recipe_.seed, current.name),
                        .side_by_side = recipe_.side_by_side});
  if (state_.stage_step > 0) checkpoints_.restore_optimizer(*resumed_from_, trainer.optimizer());
  log("stage {} of {} \"{}\": trains {:.3f} M of {:.3f} M parameters, mask {}", state_.stage + 1,
      recipe_.stages.size(), current.name,
      static_cast<double>(trainer.optimizer().num_parameters()) / 1e6,
      static_cast<double>(bundle_.model->params().num_elements()) / 1e6, name_of(bundle_.mask));
  step_started_ = stage_started_ = seconds_now();
  stage_start_progress_ = -1;
  while (current.max_steps == 0 || state_.stage_step < current.max_steps) {
    const auto loaded = input.loader().next();
    if (!loaded) break;
    const StepReport report = trainer.step(*loaded, state_.stage_step);
    after_step(report, *loaded, trainer, input.loader());
  }
  progress_.finish();
  ++state_.stage;
  state_.stage_step = 0;
  state_.loader = Json();
  crash_point("stage.ended");
  evaluate();
  save_checkpoint(nullptr);
  crash_point("stage.saved");
}

void RecipeRun::after_step(const StepReport& report, const LoadedStep& loaded,
                           StageTrainer& trainer, const Loader& loader) {
  ++state_.step;
  ++state_.stage_step;
  state_.loader = loaded.state_after;
  log_step(report, loader, loaded.skipped);
  show_progress(report);
  const auto due = [&](int64_t every) { return every > 0 && state_.step % every == 0; };
  if (due(recipe_.eval.every)) {
    progress_.finish();
    evaluate();
  }
  if (due(recipe_.checkpoint.every)) save_checkpoint(&trainer.optimizer());
  if (stop_requested) {
    if (saved_step_ != state_.step) save_checkpoint(&trainer.optimizer());
    fail("stopped by a signal after step {}; go on with --resume", state_.step);
  }
}

void RecipeRun::log_step(const StepReport& report, const Loader& loader, int64_t skipped) {
  const double now = seconds_now();
  const double seconds = now - step_started_;
  step_started_ = now;
  notes_.seconds += seconds;
  const MemoryUse memory = memory_use();
  log_->append({{"step", state_.step},
                {"stage", stage().name},
                {"stage_step", state_.stage_step},
                {"progress", report.progress},
                {"loss", report.loss},
                {"lr_factor", report.factor},
                {"gradient_norm", report.gradient_norm},
                {"tokens", report.rows},
                {"predictions", report.predictions},
                {"images", report.images},
                {"samples", report.samples},
                {"micro_batches", report.micro_batches},
                {"skipped", skipped},
                {"seconds", seconds},
                {"tokens_per_second", static_cast<double>(report.rows) / seconds},
                {"images_per_second", static_cast<double>(report.images) / seconds},
                {"waited_for_data", loader.seconds_waited()},
                {"memory_mib", memory.now_mib},
                {"peak_memory_mib", memory.peak_mib}});
}

void RecipeRun::show_progress(const StepReport& report) {
  if (stage_start_progress_ < 0) {
    stage_start_progress_ = report.progress;
    smooth_loss_ = report.loss;
    stage_started_ = seconds_now();
    stage_rows_ = -report.rows;  // the first step is not timed
  }
  stage_rows_ += report.rows;
  smooth_loss_ += 0.1 * (report.loss - smooth_loss_);
  const double done = report.progress - stage_start_progress_;
  const double elapsed = seconds_now() - stage_started_;
  const std::string left =
      done > 0 ? format_duration(elapsed / done * (1.0 - report.progress)) : "?";
  progress_.update(fmt::format(
      "{} {:3.0f}% step {} loss {:.3f} |g| {:.2f} {:.0f} tokens/s, {} left", stage().name,
      100 * report.progress, state_.stage_step, smooth_loss_, report.gradient_norm,
      static_cast<double>(stage_rows_) / std::max(1e-9, elapsed), left));
}

void RecipeRun::evaluate() {
  std::map<std::string, double> scores;
  if (!recipe_.eval.validation.empty() && bundle_.model->config().language) {
    const size_t index =
        std::min<size_t>(static_cast<size_t>(state_.stage), recipe_.stages.size() - 1);
    scores["validation_loss"] = validation_loss(recipe_, recipe_.stages[index], bundle_);
  }
  for (const std::string& name : recipe_.eval.tasks) {
    const TaskRecipe& task = recipe_.tasks.at(name);
    const TaskResult result = run_task(bundle_, task, recipe_, {.limit = task.limit});
    write_result(result,
                 options_.folder / "evaluations" / fmt::format("step-{:08}", state_.step) / name);
    for (const Score& score : result.scores) scores.emplace(score.name, score.value);
  }
  if (scores.empty()) return;
  Json line = {{"step", state_.step}, {"evaluation", scores}};
  log_->append(line);
  std::string text;
  for (const auto& [name, value] : scores) text += fmt::format(" {} {:.4f}", name, value);
  log("after step {}:{}", state_.step, text);
  keep_best(scores);
  step_started_ = seconds_now();
}

void RecipeRun::keep_best(const std::map<std::string, double>& scores) {
  if (recipe_.eval.best.empty()) return;
  const auto found = scores.find(recipe_.eval.best);
  if (found == scores.end()) return;
  const bool lower_is_better = recipe_.eval.best == "validation_loss";
  const bool better = !notes_.best || (lower_is_better ? found->second < *notes_.best
                                                       : found->second > *notes_.best);
  if (!better) return;
  notes_.best = found->second;
  notes_.best_step = state_.step;
  save_bundle(options_.folder / "best", bundle_, card());
}

void RecipeRun::save_checkpoint(const Optimizer* optimizer) {
  state_.notes = to_json(notes_);
  checkpoints_.save(state_, bundle_.model->params(), optimizer);
  saved_step_ = state_.step;
}

std::string RecipeRun::card() const {
  std::string text = fmt::format("# {}\n\nA Sightline model. Mask `{}`, trained for {} steps.\n\n",
                                 recipe_.name, name_of(bundle_.mask), state_.step);
  text += "## Stages\n\n";
  for (const StageRecipe& each : recipe_.stages) {
    text += fmt::format("- `{}` trained", each.name);
    for (const std::string& part : each.train) text += fmt::format(" `{}`", part);
    text += " on";
    for (const MixtureEntry& entry : each.mixture) text += fmt::format(" `{}`", entry.data);
    text += "\n";
  }
  text += "\n## Data\n\nThe data keep their owners' terms.\n\n";
  for (const auto& [name, data] : recipe_.data) {
    text += fmt::format("- `{}`: {}\n", name,
                        data.annotations.empty() ? "generated scenes"
                                                 : fs::path(data.annotations).filename().string());
  }
  text += "\nThe whole recipe is `recipe.toml`.\n";
  return text;
}

}  // namespace

void run_recipe(const Recipe& recipe, const RunOptions& options) {
  if (recipe.threads > 0) at::set_num_threads(static_cast<int>(recipe.threads));
  stop_requested = false;
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  RecipeRun(recipe, options).train();
}

}  // namespace sightline
