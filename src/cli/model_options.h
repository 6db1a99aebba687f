#pragma once
// What caption, ask and evaluate share: a model folder, how to decode, and the recipe that the
// model carries.

#include "bundle/bundle.h"
#include "cli/print_answers.h"
#include "recipe/recipe.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sightline {

struct ModelOptions {
  std::string folder;
  std::string numbers = "fp32";  // fp32 | bf16
  std::string device = "auto";   // cpu | cuda | cuda:N | auto
};
void add_model_options(CLI::App& command, ModelOptions& options);
// `local_rank`: of several ranks, this one's number on its machine, which chooses its GPU.
Bundle load_model(const ModelOptions& options, int64_t local_rank = 0);

// Decoding as given on the command line; what is not given is the task's, or the default.
struct DecodingFlags {
  std::optional<int64_t> beams, beam_groups, min_tokens, max_tokens, top_k, no_repeat_ngram,
      answers;
  std::optional<uint64_t> seed;
  std::optional<double> diversity, length_penalty, temperature, top_p, min_p, repetition_penalty;
  std::vector<std::string> stop;  // none: the task's
  std::optional<std::string> weights;
  LogProbs log_probs = LogProbs::hidden;
};
void add_decoding_flags(CLI::App& command, DecodingFlags& flags);
void add_log_probs_flag(CLI::App& command, DecodingFlags& flags);
// A UsageError where what comes out contradicts itself.
void apply(const DecodingFlags& flags, DecodingRecipe& decoding);

// The recipe that the model was made by, whose paths need not be there; or nothing where its folder
// has none, or (said on stderr) one with a mistake.
std::optional<Recipe> recipe_of(const Bundle& bundle, const std::string& folder);

// How a recipe, the model's own say, asks for a caption or an answer: decoding and prompt of its
// first task of that kind; else the prompt of the first data table that could hold any; else no
// words, greedily. Of questions the prompt may hold "{question}".
struct Manner {
  std::string prompt;
  DecodingRecipe decoding;
};
Manner manner_of(const Recipe& recipe, TaskKind kind);
Manner manner_of(const Bundle& bundle, const std::string& folder, TaskKind kind);

// By the end of its name: .jpg, .jpeg, .png, .webp.
bool names_a_picture(const std::filesystem::path& path);

// A file, or the pictures (.jpg, .jpeg, .png, .webp) of a folder in the order of their names. A
// path that does not exist, or a folder without pictures, is a UsageError.
std::vector<std::string> pictures_at(const std::vector<std::string>& paths);

}  // namespace sightline
