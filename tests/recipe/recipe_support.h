#pragma once
// A small recipe on files of its own, for tests to bend.

#include "base/error.h"
#include "base/file.h"
#include "recipe/parse.h"
#include "tests/support.h"

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline::test {

// A folder with the files that the recipes of these tests name, entered while it lives.
class Workplace {
 public:
  Workplace() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
    for (const char* folder : {"models/vit", "models/lm", "models/bare", "photos", "runs/model"}) {
      std::filesystem::create_directories(folder);
    }
    for (const char* file :
         {"models/vit/config.json", "models/lm/config.json", "models/lm/tokenizer.json",
          "captions.token.txt", "dev.txt", "rows.jsonl", "words.txt", "tokenizer.json"}) {
      std::ofstream(file) << "{}";
    }
    std::ofstream("runs/model/sightline.json") << "{\"mask\": \"prefix\"}";
  }
  ~Workplace() { std::filesystem::current_path(before_); }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

 private:
  TemporaryFolder folder_;
  std::filesystem::path before_;
};

inline constexpr std::string_view kRecipe = R"(name = "captioner"
seed = 7

[model]
vision = "models/vit"
language = "models/lm"
connector = "shuffle"

[data.train]
format = "flickr"
annotations = "captions.token.txt"
images = "photos"

[data.web]
format = "jsonl"
annotations = "rows.jsonl"

[data.words]
format = "text"
annotations = "words.txt"

[data.shapes]
format = "scenes"
count = 100
task = "caption"

[task.dev]
kind = "caption"
data = "train"

[eval]
task = "dev"
best = "CIDEr"

[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "train" }]
lr = 1e-3

[[stage]]
name = "deepen"
train = ["connector", "vision.layers[8:]"]
mixture = [{ data = "train", weight = 2 }, { data = "web" }]
)";

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const size_t at = result.find(from);
  if (at == std::string::npos) ADD_FAILURE() << "the recipe has no \"" << from << "\"";
  if (at != std::string::npos) result.replace(at, from.size(), to);
  return result;
}

// The message with which a recipe is refused, or "" where it is taken.
inline std::string mistake_in(std::string_view text, std::span<const std::string> settings = {}) {
  try {
    parse_recipe(text, "r.toml", settings);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace sightline::test
