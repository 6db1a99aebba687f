#pragma once
// The same few pictures after each stage, with what the model said of them: one sees it learn to
// see. What it said stands in evaluations/; samples.json in the run folder keeps the pictures,
// small, so that a report needs the data no more.

#include "recipe/recipe.h"
#include "run/run_record.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace sightline {

struct RunSample {
  std::string task;
  std::string prompt;
  std::vector<std::string> pictures;                         // data URIs; empty: not at hand
  std::vector<std::pair<std::string, std::string>> answers;  // after which stage: what was said
  std::vector<std::string> references;
};

struct SamplePictures {
  int64_t id = 0;                     // the case's number in its task
  std::vector<std::string> pictures;  // data URIs
};

// Pictures of the cases `ids` of a task, at most kThumbnail pixels wide and high. Opens its data:
// an Error where they are not there.
inline constexpr int kThumbnail = 160;
std::vector<SamplePictures> sample_pictures(const Recipe& recipe, const std::string& task,
                                            const std::vector<int64_t>& ids);

enum class MakePictures { no, yes };

// A few cases of every task that was evaluated. With MakePictures::yes, samples.json is written for
// tasks that it lacks; where their data cannot be opened, the samples go without, and why is
// appended to `problems`.
std::vector<RunSample> run_samples(const std::filesystem::path& run, const RunRecord& record,
                                   const Recipe& recipe, MakePictures make,
                                   std::vector<std::string>& problems);

}  // namespace sightline
