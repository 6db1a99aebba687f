#pragma once
// A run of seconds, on scenes and words, through the program itself.

#include "base/file.h"
#include "base/json.h"
#include "tests/support.h"

#include <fstream>
#include <string>
#include <vector>

namespace sightline::test {

constexpr const char* kSmallRecipe = R"(name = "small"
cache = "cache"
threads = 1
[model]
vision = { image_size = 32, patch_size = 8, hidden_size = 48, num_hidden_layers = 2, intermediate_size = 96 }
language = { hidden_size = 64, num_hidden_layers = 2, intermediate_size = 96, max_position_embeddings = 300 }
connector = "mlp"
tokenizer = "tok"
[data.scenes]
format = "scenes"
count = 60
task = "caption"
[data.held]
format = "scenes"
count = 8
seed = 5
task = "caption"
[data.words]
format = "text"
annotations = "words.txt"
[eval]
validation = "held"
[[stage]]
name = "one"
train = ["connector"]
mixture = [{ data = "scenes" }]
step_tokens = 700
micro_tokens = 300
[[stage]]
name = "two"
train = ["connector", "vision.layers[1:]"]
mixture = [{ data = "scenes" }]
step_tokens = 700
micro_tokens = 300
[[stage]]
name = "three"
train = ["connector", "language"]
mixture = [{ data = "scenes" }]
step_tokens = 700
micro_tokens = 300
)";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) ADD_FAILURE() << "no \"" << from << "\" in the text";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The same with several micro-batches a step, dropout, checkpoints, and enough steps to be struck
// in the midst of them.
inline std::string many_steps_recipe() {
  return replaced(replaced(kSmallRecipe, "[eval]\n", "[checkpoint]\nevery = 4\n[eval]\n"),
                  "700\nmicro_tokens = 300\n[[stage]]\nname = \"two\"",
                  "900\nmicro_tokens = 300\nepochs = 8\ndropout = 0.1\n[[stage]]\nname = \"two\"");
}

// A folder with a recipe and a tokenizer, in which the program runs.
class ProgramRun : public testing::Test {
 protected:
  void begin(const std::string& recipe) const {
    write("words.txt", "a cat and a dog on the mat\nthe dog and the cat\n");
    write("recipe.toml", recipe);
    ASSERT_EQ(run("tokenizer train --text words.txt --vocab 280 --output tok").exit_code, 0);
  }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    write_file(path(name), text);
  }
  CommandResult run(const std::string& words) const {
    return run_command("cd " + folder_.path().string() + " && " +
                       environment_path("SIGHTLINE_BINARY").string() + " " + words);
  }
  std::string weights(const std::string& run_folder, const std::string& part) const {
    return read_file(path(run_folder) / "model" / part / "model.safetensors");
  }
  void expect_the_same_weights(const std::string& one, const std::string& other) const {
    for (const char* part : {"vision", "connector", "language"}) {
      EXPECT_TRUE(weights(one, part) == weights(other, part)) << other << " " << part;
    }
  }
  // The lines of a run's log.
  std::vector<Json> log(const std::string& run_folder) const {
    std::ifstream file(path(run_folder) / "run.jsonl");
    std::vector<Json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  TemporaryFolder folder_;
};

class SmallRun : public ProgramRun {
 protected:
  void SetUp() override {
    SIGHTLINE_NEEDS(environment_path("SIGHTLINE_BINARY"));
    begin(kSmallRecipe);
  }
};

}  // namespace sightline::test
