#include "run/begin_again.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "recipe/names.h"
#include "recipe/parse.h"
#include "run/history.h"
#include "run/notes.h"
#include "run/run_log.h"
#include "train/checkpoint.h"

#include <algorithm>
#include <sstream>

namespace sightline {

namespace fs = std::filesystem;

namespace {

size_t index_of(const std::string& stage, const Recipe& recipe) {
  std::vector<std::string> names;
  for (const StageRecipe& each : recipe.stages) names.push_back(each.name);
  const auto found = std::ranges::find(names, stage);
  if (found == names.end()) {
    fail_usage("--from-stage {}: {} has no such stage{}", stage, recipe.file,
               suggestion(stage, names, "its stages are"));
  }
  if (found == names.begin()) {
    fail_usage(
        "--from-stage {}: it is the first stage, and nothing before it is to be kept: train "
        "without --from-stage",
        stage);
  }
  return static_cast<size_t>(found - names.begin());
}

// The recipe as far as it decides what the first `count` stages gave, but for the seed: a stage may
// be begun again with another one, to see how far chance moves what it gives.
Recipe first_stages(const Recipe& recipe, size_t count) {
  Recipe kept;
  kept.numbers = recipe.numbers;
  kept.look_ahead = recipe.look_ahead;
  kept.side_by_side = recipe.side_by_side;
  kept.model = recipe.model;
  kept.stages.assign(
      recipe.stages.begin(),
      recipe.stages.begin() + static_cast<ptrdiff_t>(std::min(count, recipe.stages.size())));
  for (const StageRecipe& stage : kept.stages) {
    for (const MixtureEntry& entry : stage.mixture) {
      kept.data[entry.data] = recipe.data.at(entry.data);
    }
  }
  return kept;
}

void check_same(const Recipe& ours, const Recipe& theirs, size_t count) {
  std::istringstream our_lines(print_recipe(first_stages(ours, count)));
  std::istringstream their_lines(print_recipe(first_stages(theirs, count)));
  std::string our_line, their_line, table;
  for (;;) {
    const bool more = static_cast<bool>(std::getline(our_lines, our_line));
    const bool theirs_has_more = static_cast<bool>(std::getline(their_lines, their_line));
    if (!more && !theirs_has_more) return;
    if (more && theirs_has_more && our_line == their_line) {
      if (our_line.starts_with("[")) table = our_line + " ";
      if (our_line.starts_with("name = ") && table == "[[stage]] ") table += our_line + " ";
      continue;
    }
    fail_usage(
        "{}: what lies before the stage begun again differs from {}: {}`{}` here, `{}` there. "
        "Begin "
        "again at an earlier stage, or take it back",
        ours.file, theirs.file, table, more ? our_line : "nothing",
        theirs_has_more ? their_line : "nothing");
  }
}

void check_free(const fs::path& folder) {
  if (!fs::exists(folder / "recipe.toml")) return;
  fail_usage(
      "{}: a run is there already; name another folder with --output, or go on with that run by "
      "--resume",
      folder.string());
}

Recipe recipe_of(const fs::path& run) {
  const fs::path file = run / "recipe.toml";
  if (!fs::exists(file)) fail_usage("{}: no run is there to take stages from", run.string());
  return parse_recipe(read_file(file), file.string(), {}, PathCheck::later);
}

}  // namespace

fs::path stage_end(const fs::path& run, const std::string& stage) { return run / "stages" / stage; }

void begin_again(const Recipe& recipe, const BeginAgain& from, const fs::path& folder) {
  const size_t count = index_of(from.stage, recipe);
  check_free(folder);
  check_same(recipe, recipe_of(from.run), count);
  const fs::path start = stage_end(from.run, recipe.stages[count - 1].name);
  if (!fs::exists(start)) {
    fail_usage("{}: the run has not come to the end of stage \"{}\", or that was removed",
               start.string(), recipe.stages[count - 1].name);
  }
  RunState state = read_run_state(start);
  Origin origin{.run = from.run.string(), .step = state.step, .begun_again = from.stage};
  for (size_t i = 0; i < count; ++i) {
    const std::string& name = recipe.stages[i].name;
    origin.stages.push_back(name);
    const fs::path end = stage_end(from.run, name);
    if (fs::exists(end)) write_checkpoint(stage_end(folder, name), read_run_state(end), end);
  }
  state.notes = to_json(Notes{.seconds = notes_from_json(state.notes).seconds});
  write_checkpoint(CheckpointFolder(folder / "checkpoints", 1).path_of(state), state, start);
  const Json line = {{"step", state.step}, {"taken_from", origin.run}, {"stage", from.stage}};
  write_file(folder / "run.jsonl",
             log_lines_until(from.run / "run.jsonl", state.step) + line.dump() + "\n");
  std::vector<Origin> history = read_history(from.run);
  history.push_back(origin);
  write_history(folder, history);
  write_file(folder / "recipe.toml", print_recipe(recipe));  // last: from now on it is a run
  log("{}: begun again at stage \"{}\", behind step {} of {}", folder.string(), from.stage,
      state.step, from.run.string());
}

}  // namespace sightline
