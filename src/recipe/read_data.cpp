// [data.*], [task.*], [eval] and [checkpoint].

#include "base/error.h"
#include "recipe/sections.h"

#include <algorithm>
#include <filesystem>

namespace sightline {

namespace {

// DAQUAR's questions stand in two files, which may be read together; archives in as many as wanted.
std::string problem_with_file_or_folder(const std::string& path) {
  std::error_code code;
  return std::filesystem::is_directory(path, code) ? "" : problem_with_file(path);
}

void read_annotations(TableReader& reader, DataRecipe& data) {
  reader.require("annotations", "annotations = \"FILE\"");
  const bool may_be_folder =
      data.format == DataFormat::daquar || data.format == DataFormat::webdataset;
  read_path(reader, "annotations", data.annotations,
            may_be_folder ? problem_with_file_or_folder : problem_with_file);
}

void read_scenes(TableReader& reader, DataRecipe& data) {
  data.split = "train";
  if (auto name = reader.choice("split", {"train", "validation", "unseen"})) data.split = *name;
  reader.require("count", "count = 1000, the number of scenes");
  reader.read("count", data.count, between(1, 1e9));
  reader.read("seed", data.seed, at_least(0));
  data.task = "both";
  if (auto name = reader.choice("task", {"caption", "question", "both", "text"})) data.task = *name;
}

bool holds_captions_alone(DataFormat format) {
  return format == DataFormat::flickr || format == DataFormat::coco ||
         format == DataFormat::karpathy;
}

// Names joined by "+", each once.
void read_karpathy_split(TableReader& reader, std::string& split) {
  const std::vector<std::string> known = {"train", "restval", "val", "test"};
  if (!reader.require("split", "split = \"train+restval\", say")) return;
  reader.read("split", split);
  if (!reader.find("split")->is_string()) return;
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= split.size();) {
    const size_t end = std::min(split.find('+', begin), split.size());
    const std::string name = split.substr(begin, end - begin);
    const bool again = std::ranges::find(names, name) != names.end();
    if (again || std::ranges::find(known, name) == known.end()) {
      reader.wrong("split", fmt::format("\"split\" in {} names \"{}\"{}; it may name {}, joined by "
                                        "\"+\"{}",
                                        reader.title(), name, again ? " twice" : "",
                                        quoted_list(known), did_you_mean(name, known)));
    }
    names.push_back(name);
    begin = end + 1;
  }
}

// What is read of pictures: their folder and the split.
void read_images(TableReader& reader, DataRecipe& data) {
  if (holds_captions_alone(data.format) || holds_questions_alone(data.format)) {
    reader.require("images", "images = \"FOLDER\"");
  }
  if (has_folder_of_images(data.format)) {
    read_path(reader, "images", data.images, problem_with_folder);
  }
  if (data.format == DataFormat::flickr || data.format == DataFormat::daquar) {
    read_path(reader, "split", data.split, problem_with_file);
  }
  if (data.format == DataFormat::karpathy) read_karpathy_split(reader, data.split);
}

void read_augment(TableReader& reader, AugmentRecipe& augment) {
  const toml::table* table = reader.table("augment");
  if (table == nullptr) return;
  TableReader inner(*table, "augment of " + reader.title(), reader.problems());
  inner.read("crop", augment.crop, {.least = 0, .most = 1, .low = NumberRange::End::open});
  inner.read("flip", augment.flip, between(0, 1));
  inner.read("colour", augment.colour, {.least = 0, .most = 1, .high = NumberRange::End::open});
  inner.finish();
}

std::vector<DataFormat> all_formats_but(std::initializer_list<DataFormat> these) {
  std::vector<DataFormat> formats;
  for (const auto& [name, format] : names_of(DataFormat{})) {
    if (std::ranges::find(these, format) == these.end()) formats.push_back(format);
  }
  return formats;
}

// Keys that another format has, with what to do instead of "unknown".
void refuse_keys_of_others(TableReader& reader, const DataRecipe& data) {
  struct KeyOf {
    const char* key;
    std::vector<DataFormat> formats;
  };
  using enum DataFormat;
  const KeyOf keys[] = {{"annotations", all_formats_but({scenes})},
                        {"images", all_formats_but({text, scenes})},
                        {"split", {flickr, karpathy, daquar, vqarad, scenes}},
                        {"prompt", all_formats_but({llava, text})},
                        {"captions", all_formats_but({llava, text})},
                        {"augment", all_formats_but({text})},
                        {"questions", {vqa}},
                        {"image_names", {vqa, daquar, pathvqa}},
                        {"folds", {vqarad}},
                        {"fold", {vqarad}},
                        {"count", {scenes}},
                        {"seed", {scenes}},
                        {"task", {scenes}}};
  for (const auto& [key, formats] : keys) {
    if (std::ranges::find(formats, data.format) != formats.end() || !reader.has(key)) continue;
    std::vector<std::string> names;
    for (DataFormat format : formats) names.emplace_back(enum_name(format));
    reader.wrong(key,
                 fmt::format("\"{}\" in {} belongs to format {}, and this one is \"{}\": leave "
                             "it out",
                             key, reader.title(), quoted_list(names), enum_name(data.format)));
  }
}

bool has_baseline(const TaskRecipe& task, std::string_view name) {
  return std::ranges::find(task.baselines, name) != task.baselines.end();
}

void read_baselines(TableReader& reader, const Recipe& recipe, TaskRecipe& task) {
  const std::vector<std::string> names = {"frequent", "majority", "majority_of_kind", "nearest",
                                          "blind"};
  reader.read("baselines", task.baselines);
  for (size_t i = 0; i < task.baselines.size(); ++i) {
    const std::string& name = task.baselines[i];
    if (name.empty() || std::ranges::find(names, name) != names.end()) continue;
    reader.wrong_element(
        "baselines", i,
        fmt::format("\"baselines\" in {} names \"{}\"; it may name {}{}", reader.title(), name,
                    quoted_list(names), did_you_mean(name, names)));
  }
  reader.read("neighbours", task.neighbours);
  if (!task.neighbours.empty()) check_data_name(reader, "neighbours", task.neighbours, recipe);
  if (has_baseline(task, "nearest") && task.kind == TaskKind::question) {
    reader.wrong("baselines",
                 fmt::format("the baseline \"nearest\" is for captions, and {} is of kind "
                             "\"question\": leave it out",
                             reader.title()));
  }
  for (const char* name : {"majority", "majority_of_kind"}) {
    if (!has_baseline(task, name) || task.kind == TaskKind::question) continue;
    reader.wrong("baselines", fmt::format("the baseline \"{}\" is for questions, and {} is of kind "
                                          "\"caption\": leave it out",
                                          name, reader.title()));
  }
  for (const char* name : {"frequent", "majority", "majority_of_kind", "nearest"}) {
    if (!has_baseline(task, name) || reader.has("neighbours")) continue;
    reader.wrong("baselines",
                 fmt::format("the baseline \"{}\" of {} needs neighbours = \"DATA\", the "
                             "[data.*] table whose answers it gives back",
                             name, reader.title()));
  }
}

// A task's kind against what its data holds.
void check_kind(TableReader& reader, const TaskRecipe& task, const DataRecipe& data) {
  std::string problem;
  if (data.format == DataFormat::text) problem = "holds plain text";
  if (holds_captions_alone(data.format) && task.kind == TaskKind::question) {
    problem = "holds captions alone";
  }
  if (holds_questions_alone(data.format) && task.kind == TaskKind::caption) {
    problem = "holds questions alone";
  }
  const bool asks_them = data.task == enum_name(task.kind) ||
                         data.task == (task.kind == TaskKind::caption ? "both" : "text");
  if (data.format == DataFormat::scenes && !asks_them) {
    problem = fmt::format("holds scenes with task = \"{}\"", data.task);
  }
  if (problem.empty()) return;
  reader.wrong("kind", fmt::format("{} is of kind \"{}\", and [data.{}] {}: choose other data or "
                                   "another kind",
                                   reader.title(), enum_name(task.kind), task.data, problem));
}

bool scores_tasks_of(const Recipe& recipe, const EvalRecipe& eval, TaskKind kind) {
  return std::ranges::any_of(eval.tasks, [&](const std::string& name) {
    const auto task = recipe.tasks.find(name);
    return task != recipe.tasks.end() && task->second.kind == kind;
  });
}

bool scores_ten_answers(const Recipe& recipe, const EvalRecipe& eval) {
  return std::ranges::any_of(eval.tasks, [&](const std::string& name) {
    const auto task = recipe.tasks.find(name);
    if (task == recipe.tasks.end()) return false;
    const auto data = recipe.data.find(task->second.data);
    return data != recipe.data.end() && data->second.format == DataFormat::vqa;
  });
}

// The best checkpoint can only be told by a score that [eval] computes.
void check_best(TableReader& reader, const Recipe& recipe, const EvalRecipe& eval) {
  std::string lacking;
  if (eval.best == "validation_loss") {
    if (!reader.has("validation")) lacking = "validation = \"DATA\"";
  } else if (eval.best == "vqa_accuracy") {
    if (!scores_ten_answers(recipe, eval)) lacking = "a task whose data are of format \"vqa\"";
  } else if (eval.best == "exact_match" || eval.best == "token_f1" || eval.best == "token_recall") {
    if (!scores_tasks_of(recipe, eval, TaskKind::question)) lacking = "a task of kind \"question\"";
  } else if (!scores_tasks_of(recipe, eval, TaskKind::caption)) {
    lacking = "a task of kind \"caption\"";
  }
  if (lacking.empty()) return;
  reader.wrong("best", fmt::format("\"best\" in {} is \"{}\", which nothing computes: add {}",
                                   reader.title(), eval.best, lacking));
}

// Patience counts evaluations within a stage, by the score that "best" names.
void check_patience(TableReader& reader, const EvalRecipe& eval) {
  if (eval.patience == 0) return;
  if (eval.best.empty()) {
    reader.wrong("patience", fmt::format("\"patience\" in {} waits for a better score, and "
                                         "\"best\" names none: add best = \"validation_loss\", say",
                                         reader.title()));
  } else if (eval.every == 0) {
    reader.wrong("patience",
                 fmt::format("\"patience\" in {} counts evaluations within a stage, and "
                             "\"every\" asks for none: add every = 200, say",
                             reader.title()));
  }
}

void read_eval_tasks(TableReader& reader, const Recipe& recipe, EvalRecipe& eval) {
  const bool single = reader.has("task");
  if (single && reader.has("tasks")) {
    reader.wrong("task",
                 fmt::format("{} has both \"task\" and \"tasks\": leave one out", reader.title()));
  }
  if (single) {
    std::string task;
    reader.read("task", task);
    if (!task.empty()) eval.tasks = {task};
  } else {
    reader.read("tasks", eval.tasks);
  }
  std::vector<std::string> known;
  for (const auto& [name, task] : recipe.tasks) known.push_back(name);
  const std::string_view key = single ? "task" : "tasks";
  for (size_t i = 0; i < eval.tasks.size(); ++i) {
    const std::string& name = eval.tasks[i];
    if (name.empty() || recipe.tasks.contains(name)) continue;
    reader.wrong_element(
        key, i,
        fmt::format("\"{}\" in {} names \"{}\", and there is no [task.{}]{}", key, reader.title(),
                    name, name, suggestion(name, known, "the tasks are")));
  }
}

}  // namespace

bool always_has_pictures(const DataRecipe& data) {
  return holds_captions_alone(data.format) || holds_questions_alone(data.format) ||
         data.format == DataFormat::webdataset ||
         (data.format == DataFormat::scenes && data.task != "text");
}

bool has_folder_of_images(DataFormat format) {
  return format != DataFormat::text && format != DataFormat::scenes &&
         format != DataFormat::webdataset;
}

bool never_has_pictures(const DataRecipe& data) {
  return data.format == DataFormat::text ||
         (data.format == DataFormat::scenes && data.task == "text");
}

void check_data_name(TableReader& reader, std::string_view key, const std::string& data,
                     const Recipe& recipe) {
  const auto found = recipe.data.find(data);
  if (found == recipe.data.end()) {
    std::vector<std::string> known;
    for (const auto& [name, table] : recipe.data) known.push_back(name);
    return reader.wrong(key, fmt::format("\"{}\" in {} names \"{}\", and there is no [data.{}]{}",
                                         key, reader.title(), data, data,
                                         suggestion(data, known, "the data tables are")));
  }
  if (always_has_pictures(found->second) && !may_have_vision(recipe.model)) {
    reader.wrong(key, fmt::format("\"{}\" in {} names \"{}\", which holds pictures, and the model "
                                  "has no vision part: add vision = \"FOLDER\" to [model]",
                                  key, reader.title(), data));
  }
}

void read_data(TableReader& reader, DataRecipe& data) {
  data.where = reader.where();
  reader.require("format", "format = " + quoted_list(enum_names<DataFormat>()));
  reader.read("format", data.format);
  if (data.format == DataFormat::scenes) {
    read_scenes(reader, data);
  } else {
    read_annotations(reader, data);
  }
  read_images(reader, data);
  if (data.format != DataFormat::text && data.format != DataFormat::llava) {
    if (holds_questions_alone(data.format)) {
      read_questions(reader, data);
    } else {
      reader.read("prompt", data.prompt);
    }
    reader.read("captions", data.captions);
  }
  if (!never_has_pictures(data)) read_augment(reader, data.augment);
  reader.read("on_bad_sample", data.on_bad_sample);
  reader.read("too_long", data.too_long);
  reader.read("limit", data.limit, at_least(0));
  refuse_keys_of_others(reader, data);
  reader.finish();
}

void read_task(TableReader& reader, const Recipe& recipe, TaskRecipe& task) {
  reader.require("kind", "kind = \"caption\" or \"question\"");
  reader.read("kind", task.kind);
  if (reader.require("data", "data = \"DATA\", the name of a [data.*] table")) {
    reader.read("data", task.data);
    if (reader.find("data")->is_string()) check_data_name(reader, "data", task.data, recipe);
    const auto data = recipe.data.find(task.data);
    if (data != recipe.data.end()) check_kind(reader, task, data->second);
  }
  reader.read("limit", task.limit, at_least(0));
  if (const toml::table* table = reader.table("decoding")) {
    TableReader decoding(*table, "decoding of " + reader.title(), reader.problems());
    read_decoding(decoding, task.decoding);
  }
  read_baselines(reader, recipe, task);
  reader.finish();
}

void read_eval(TableReader& reader, const Recipe& recipe, EvalRecipe& eval) {
  reader.read("every", eval.every, at_least(0));
  read_eval_tasks(reader, recipe, eval);
  reader.read("validation", eval.validation);
  if (!eval.validation.empty()) check_data_name(reader, "validation", eval.validation, recipe);
  reader.read("validation_limit", eval.validation_limit, at_least(1));
  const auto best =
      reader.choice("best", {"", "CIDEr", "Bleu_4", "ROUGE_L", "vqa_accuracy", "exact_match",
                             "token_f1", "token_recall", "validation_loss"});
  if (best) eval.best = *best;
  if (!eval.best.empty()) check_best(reader, recipe, eval);
  reader.read("patience", eval.patience, at_least(0));
  check_patience(reader, eval);
  reader.finish();
}

void read_checkpoint(TableReader& reader, CheckpointRecipe& checkpoint) {
  reader.read("every", checkpoint.every, at_least(0));
  reader.read("keep", checkpoint.keep, at_least(1));
  reader.read("background", checkpoint.background);
  reader.finish();
}

}  // namespace sightline
