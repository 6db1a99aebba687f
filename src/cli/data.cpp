// sightline data: scenes here, check in data_check.cpp.

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "data/dataset.h"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

struct ScenesOptions {
  std::string output, split = "train", task = "both";
  int64_t count = 1000;
  uint64_t seed = 0;
};

// One example as lines of the jsonl format: the captions of an example in one, each question in its
// own. A conversation whose user says nothing is a caption.
std::string lines_of(const Example& example, const std::string& image) {
  Json captions = Json::array();
  std::string lines;
  for (size_t c = 0; c < example.conversations.size(); ++c) {
    const std::string& words = example.conversations[c].front().text;
    if (words.empty()) {
      captions.push_back(example.references[c]);
      continue;
    }
    Json question = {{"image", image}, {"question", words}, {"answer", example.references[c]}};
    if (!example.kind.empty()) question["kind"] = example.kind;
    lines += question.dump() + "\n";
  }
  if (captions.empty()) return lines;
  return Json{{"image", image}, {"captions", captions}}.dump() + "\n" + lines;
}

// What is said of scenes, without pictures: one turn a line, to train a tokenizer on.
std::string sentences_of(const Dataset& dataset) {
  std::string lines;
  for (size_t i = 0; i < dataset.size(); ++i) {
    for (const auto& conversation : dataset.example(i).conversations) {
      for (const Turn& turn : conversation) lines += turn.text + "\n";
    }
  }
  return lines;
}

void run_scenes(const ScenesOptions& options) {
  if (fs::exists(options.output) && !fs::is_empty(options.output)) {
    fail_usage("{}: is there already; give --output a new folder", options.output);
  }
  DataRecipe recipe;
  recipe.format = DataFormat::scenes;
  recipe.count = options.count;
  recipe.seed = options.seed;
  recipe.split = options.split;
  recipe.task = options.task;
  recipe.where = "data scenes";
  const auto dataset = open_dataset("scenes", recipe);
  FolderWriter writer(options.output);
  if (options.task == "text") {
    write_file(writer.staging() / "sentences.txt", sentences_of(*dataset));
    writer.commit();
    return log("{} sentences written to {}", dataset->size(), options.output);
  }
  fs::create_directory(writer.staging() / "images");
  std::string lines;
  for (size_t i = 0; i < dataset->size(); ++i) {
    const Example example = dataset->example(i);
    const std::string image = fmt::format("images/{:06}.png", i);
    write_file(writer.staging() / image, *example.images.front().encoded);
    lines += lines_of(example, image);
  }
  write_file(writer.staging() / "annotations.jsonl", lines);
  writer.commit();
  log("{} scenes written to {}", dataset->size(), options.output);
}

}  // namespace

void add_data_command(CLI::App& app) {
  CLI::App* group = app.add_subcommand("data", "Make data, and check it.");
  group->require_subcommand(1);
  group->footer("Example:\n  sightline data check recipes/flickr8k.toml");
  add_data_check_command(*group);
  auto options = std::make_shared<ScenesOptions>();
  CLI::App* command = group->add_subcommand(
      "scenes",
      "Write generated scenes as PNG files, with annotations.jsonl for format = \"jsonl\".");
  command->footer("Example:\n  sightline data scenes --count 100 --output scenes");
  command->add_option("--output", options->output, "folder to write")->required();
  command->add_option("--count", options->count, "number of scenes")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  command->add_option("--split", options->split, "train, validation or unseen")
      ->check(CLI::IsMember({"train", "validation", "unseen"}))
      ->capture_default_str();
  command->add_option("--task", options->task, "caption, question, both, or text (sentences alone)")
      ->check(CLI::IsMember({"caption", "question", "both", "text"}))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of the generator")->capture_default_str();
  command->callback([options] { run_scenes(*options); });
}

}  // namespace sightline
