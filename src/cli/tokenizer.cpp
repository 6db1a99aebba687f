// sightline tokenizer train

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "text/tokenizer_training.h"

#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

struct TrainTokenizerOptions {
  std::vector<std::string> texts, special;
  int32_t vocab = 8192;
  std::string output;
};

// The lines of several files, one after another.
class LineReader {
 public:
  explicit LineReader(std::vector<std::string> files) : files_(std::move(files)) {}

  bool next(std::string& line) {
    for (;;) {
      if (current_.is_open() && std::getline(current_, line)) return true;
      check(!current_.bad(), "{}: cannot read", files_[opened_ - 1]);
      current_.close();
      if (opened_ == files_.size()) return false;
      current_.clear();
      current_.open(files_[opened_++]);
      check(current_.is_open(), "{}: cannot open", files_[opened_ - 1]);
    }
  }

 private:
  std::vector<std::string> files_;
  std::ifstream current_;
  size_t opened_ = 0;
};

void check_output(const fs::path& output) {
  if (!fs::exists(output)) return;
  if (fs::is_directory(output) && (fs::is_empty(output) || fs::exists(output / "tokenizer.json"))) {
    return;
  }
  fail_usage("{}: holds something else than a tokenizer; give --output a new folder",
             output.string());
}

void run_train_tokenizer(const TrainTokenizerOptions& options) {
  for (const std::string& text : options.texts) {
    if (!fs::is_regular_file(text)) fail_usage("{}: no such file", text);
  }
  check_output(options.output);
  TokenizerTraining training;
  training.vocab_size = options.vocab;
  training.special_tokens.insert(training.special_tokens.end(), options.special.begin(),
                                 options.special.end());
  LineReader reader(options.texts);
  const Tokenizer tokenizer =
      train_tokenizer([&](std::string& line) { return reader.next(line); }, training);
  FolderWriter writer(options.output);
  tokenizer.save(writer.staging());
  writer.commit();
  log("{} tokens written to {}", tokenizer.vocab_size(), options.output);
}

}  // namespace

void add_tokenizer_command(CLI::App& app) {
  CLI::App* group = app.add_subcommand("tokenizer", "Make a tokenizer.");
  group->require_subcommand(1);
  group->footer(
      "Example:\n  sightline tokenizer train --text stories.txt --vocab 4096 --output tok");
  auto options = std::make_shared<TrainTokenizerOptions>();
  CLI::App* command = group->add_subcommand(
      "train", "Train a byte-level BPE tokenizer; Hugging Face loads it too.");
  command->footer(
      "Example:\n  sightline tokenizer train --text stories.txt captions.txt --vocab 4096 --output "
      "tok");
  command->add_option("--text", options->texts, "text files, a document a line")->required();
  command->add_option("--vocab", options->vocab, "tokens, all told")
      ->check(CLI::Range(257, 1000000))
      ->capture_default_str();
  command->add_option("--special", options->special,
                      "special tokens besides <|endoftext|>, such as <|im_start|> <|im_end|>");
  command->add_option("--output", options->output, "folder to write")->required();
  command->callback([options] { run_train_tokenizer(*options); });
}

}  // namespace sightline
