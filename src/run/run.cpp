#include "run/run.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "bundle/bundle.h"
#include "dist/world.h"
#include "recipe/parse.h"
#include "run/agreement.h"
#include "run/begin_again.h"
#include "run/card.h"
#include "run/evaluation.h"
#include "run/history.h"
#include "run/live_report.h"
#include "run/notes.h"
#include "run/run_plan.h"
#include "run/stage_check.h"
#include "run/stage_input.h"
#include "run/step_log.h"
#include "train/background_checkpoint.h"
#include "train/checkpoint.h"
#include "train/reconstruct.h"
#include "train/stage_trainer.h"

#include <atomic>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::atomic<bool> stop_requested = false;

extern "C" void request_stop(int) { stop_requested = true; }

class RecipeRun {
 public:
  RecipeRun(const Recipe& recipe, const RunOptions& options);
  void train();

 private:
  void open_folder();
  void claim_folder() const;
  void resume();
  void run_stage();
  void after_step(const StepReport& report, const LoadedStep& loaded, StageTrainer& trainer,
                  const Loader& loader);
  bool stage_is_over() const;
  bool stop_was_requested();
  void evaluate();
  void take(const std::map<std::string, double>& scores);
  void save_checkpoint(const StageTrainer& trainer);
  // Until the one that is written in the background is whole.
  void wait_for_checkpoint();
  void save_stage_end(const std::string& name);
  void save_model();
  // Rank 0 writes, the others wait.
  void write_together(std::string_view doing, const std::function<void()>& write);
  std::string card() const { return model_card(recipe_, bundle_.mask, state_.step, history_); }
  const StageRecipe& stage() const { return recipe_.stages[static_cast<size_t>(state_.stage)]; }

  const Recipe& recipe_;
  RunOptions options_;
  World alone_;
  World& world_;  // the ranks that train together
  Bundle bundle_;
  CheckpointFolder checkpoints_;
  std::vector<Origin> history_;
  RunState state_;
  Notes notes_;
  std::optional<fs::path> resumed_from_;
  std::optional<StepLog> log_;  // rank 0's, and the report too
  std::optional<LiveReport> report_;
  std::optional<BackgroundCheckpoint> background_;
  int64_t saved_step_ = -1;
};

RecipeRun::RecipeRun(const Recipe& recipe, const RunOptions& options)
    : recipe_(recipe),
      options_(options),
      world_(options.world != nullptr ? *options.world : alone_),
      bundle_((open_folder(),
               make_bundle(recipe.model, recipe.seed,
                           recipe.numbers == NumberType::bf16 ? at::kBFloat16 : at::kFloat))),
      checkpoints_(options.folder / "checkpoints", recipe.checkpoint.keep),
      history_(read_history(options.folder)) {
  bundle_.model->move_to(options.device);
  for (const StageRecipe& each : recipe.stages) {
    if (each.objective != Objective::reconstruct) continue;
    add_reconstruct_parameters(*bundle_.model, recipe.seed);
    break;
  }
  bundle_.recipe = print_recipe(recipe);
  resume();
  check_stages(recipe, bundle_, state_.stage);
  if (!world_.is_first()) return;
  log_.emplace(options.folder, state_.step, recipe);
  report_.emplace(options.folder, recipe);
}

void RecipeRun::open_folder() {
  check_same_run(world_, recipe_);
  write_together("opening the run folder", [&] { claim_folder(); });
}

void RecipeRun::claim_folder() const {
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
  const std::string checkpoint = world_.first_does("looking for a checkpoint", [&] {
    const auto newest = checkpoints_.newest();
    const std::string name = newest ? newest->string() : "";
    log("{}", newest ? "resuming from " + name
                     : "no checkpoint in " + options_.folder.string() + " yet: starting");
    return name;
  });
  if (checkpoint.empty()) return;
  resumed_from_ = checkpoint;
  state_ = read_run_state(checkpoint);
  restore_weights(checkpoint, bundle_.model->params());
  notes_ = notes_from_json(state_.notes);
  saved_step_ = state_.step;
  world_.at_step(state_.step);
}

void RecipeRun::train() {
  write_together("planning", [&] { write_run_plan(options_.folder, recipe_); });
  const auto count = static_cast<int64_t>(recipe_.stages.size());
  while (state_.stage < count) run_stage();
  write_together("writing the model", [&] { save_model(); });
}

void RecipeRun::save_model() {
  bundle_.recipe = print_recipe(recipe_);
  for (const auto& [name, tensor] : bundle_.model->params()) tensor.set_requires_grad(false);
  save_bundle(options_.folder / "model", bundle_, card());
  report_->rewrite();
  log("{}: {} steps in {}; the model is {}", recipe_.name, state_.step,
      format_duration(notes_.seconds), (options_.folder / "model").string());
}

void RecipeRun::run_stage() {
  const StageRecipe& current = stage();
  bundle_.mask = current.mask.value_or(recipe_.model.mask);
  crash_point("stage.begun");
  StageInput input(recipe_, state_.stage, bundle_, state_.loader,
                   (options_.folder / "skipped.txt").string(), world_);
  StageTrainer trainer(
      bundle_, current,
      {.depth = input.depth(),
       .seed = derive_seed(recipe_.seed, current.name),
       .side_by_side = recipe_.side_by_side,
       .world = &world_,
       .sharding = options_.sharding,
       .gradients = recipe_.gradient_sums == NumberType::bf16 ? Travel::bf16 : Travel::full});
  if (state_.stage_step > 0) {
    trainer.restore(training_state(*resumed_from_));
  } else {
    notes_.begin_stage();
  }
  if (log_) {
    log("stage {} of {} \"{}\": trains {:.3f} M of {:.3f} M parameters, mask {}", state_.stage + 1,
        recipe_.stages.size(), current.name, static_cast<double>(trainer.num_parameters()) / 1e6,
        static_cast<double>(bundle_.model->params().num_elements()) / 1e6, name_of(bundle_.mask));
    if (world_.size() > 1 && world_.size() * current.micro_tokens > current.step_tokens) {
      log("{} ranks share steps of {} micro-batches or so: some rank has none. Raise step_tokens, "
          "or "
          "lower micro_tokens",
          world_.size(), (current.step_tokens + current.micro_tokens - 1) / current.micro_tokens);
    }
    log_->begin_stage(current.name);
  }
  while (!stage_is_over()) {
    const auto loaded = input.loader().next();
    if (!loaded) break;
    const StepReport report = trainer.step(*loaded, state_.stage_step);
    after_step(report, *loaded, trainer, input.loader());
  }
  if (log_) log_->pause();
  if (log_ && notes_.out_of_patience(recipe_.eval)) {
    log("stage \"{}\" ends: {} evaluations without a better {}", current.name,
        notes_.without_better, recipe_.eval.best);
  }
  wait_for_checkpoint();
  trainer.finish();
  ++state_.stage;
  state_.stage_step = 0;
  state_.loader = Json();
  crash_point("stage.ended");
  evaluate();
  save_stage_end(current.name);
  crash_point("stage.saved");
}

bool RecipeRun::stage_is_over() const {
  const int64_t most = stage().max_steps;
  return (most > 0 && state_.stage_step >= most) || notes_.out_of_patience(recipe_.eval);
}

void RecipeRun::after_step(const StepReport& report, const LoadedStep& loaded,
                           StageTrainer& trainer, const Loader& loader) {
  ++state_.step;
  ++state_.stage_step;
  state_.loader = loaded.state_after;
  world_.at_step(state_.step);
  if (log_) notes_.seconds += log_->add(report, state_, loaded.skipped, loader.seconds_waited());
  const auto due = [&](int64_t every) { return every > 0 && state_.step % every == 0; };
  if (due(recipe_.eval.every)) {
    if (log_) log_->pause();
    trainer.put_averages_in();
    evaluate();
    trainer.put_back();
  }
  if (background_ && background_->is_done()) wait_for_checkpoint();
  if (due(recipe_.checkpoint.every)) save_checkpoint(trainer);
  if (report_) report_->update();
  if (log_) log_->start_clock();
  if (stop_was_requested()) {
    if (saved_step_ != state_.step) save_checkpoint(trainer);
    wait_for_checkpoint();
    fail("stopped by a signal after step {}; go on with --resume", state_.step);
  }
}

// Of any rank: all stop behind the same step.
bool RecipeRun::stop_was_requested() {
  return world_.sum({stop_requested ? 1.0 : 0.0}, "agreeing to go on")[0] > 0;
}

void RecipeRun::write_together(std::string_view doing, const std::function<void()>& write) {
  world_.first_does(doing, [&] {
    write();
    return std::string();
  });
}

// All look, rank 0 writes it down, and all take over what it notes: the stage's end depends on
// that.
void RecipeRun::evaluate() {
  const std::map<std::string, double> scores =
      evaluation_scores(recipe_, state_, bundle_, options_.folder, world_);
  const std::string notes = world_.first_does("writing scores", [&] {
    if (!scores.empty()) take(scores);
    return to_json(notes_).dump();
  });
  if (!world_.is_first()) notes_ = notes_from_json(Json::parse(notes));
}

void RecipeRun::take(const std::map<std::string, double>& scores) {
  log_->add_evaluation(state_.step, scores);
  const auto best = scores.find(recipe_.eval.best);
  if (best != scores.end() && notes_.take(best->second, state_.step, recipe_.eval)) {
    save_bundle(options_.folder / "best", bundle_, card());
  }
  report_->rewrite();
  log_->start_clock();
}

void RecipeRun::save_checkpoint(const StageTrainer& trainer) {
  check_same_weights(world_, bundle_.model->params());
  state_.notes = to_json(notes_);
  if (log_ && background_ && !background_->is_done()) {
    log("step {} waits for the checkpoint before it to be written: raise checkpoint.every",
        state_.step);
  }
  wait_for_checkpoint();
  std::unique_ptr<CheckpointWriter> writer;  // rank 0's
  const fs::path staging = world_.first_does("beginning a checkpoint", [&] {
    writer = std::make_unique<CheckpointWriter>(checkpoints_.path_of(state_));
    return writer->staging().string();
  });
  CheckpointShare share{.shard = trainer.shard()};
  if (world_.is_first()) share.weights = bundle_.model->params();
  if (world_.is_first() || trainer.is_sharded()) share.training = trainer.state();
  saved_step_ = state_.step;
  const auto commit = [this, state = state_](CheckpointWriter& whole) {
    whole.commit(state);
    checkpoints_.prune();
  };
  if (recipe_.checkpoint.background) {
    background_.emplace(staging, share, std::move(writer), commit);
    return;
  }
  write_share(staging, share);
  world_.barrier("writing a checkpoint");
  write_together("ending a checkpoint", [&] { commit(*writer); });
}

void RecipeRun::wait_for_checkpoint() {
  if (background_) background_->finish();
  background_.reset();
}

// The stage's end is kept, for begin_again(); the checkpoint that a resume goes on from shares its
// file.
void RecipeRun::save_stage_end(const std::string& name) {
  check_same_weights(world_, bundle_.model->params());
  state_.notes = to_json(notes_);
  write_together("writing the stage's end", [&] {
    const fs::path end = stage_end(options_.folder, name);
    CheckpointWriter writer(end);
    write_share(writer.staging(), {.weights = bundle_.model->params()});
    writer.commit(state_);
    write_checkpoint(checkpoints_.path_of(state_), state_, end);
    checkpoints_.prune();
  });
  saved_step_ = state_.step;
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
