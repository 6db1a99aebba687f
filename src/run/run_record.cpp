#include "run/run_record.h"

#include "base/error.h"

#include <fstream>
#include <iterator>
#include <limits>

namespace sightline {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string read_from(const std::filesystem::path& path, size_t offset) {
  std::ifstream file(path, std::ios::binary);
  check(file.good(), "{}: cannot be read; a run's folder is meant, which `train` wrote",
        path.string());
  file.seekg(static_cast<std::streamoff>(offset));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

void RunRecord::read_on() {
  const std::string text = read_from(file_, bytes_read_);
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string where = fmt::format("{}:{}", file_.string(), ++lines_read_);
    bytes_read_ += end + 1 - begin;
    take(parse_json(std::string_view(text).substr(begin, end - begin), where), where);
  }
}

void RunRecord::take(const Json& line, const std::string& where) {
  const auto step = json_get<int64_t>(line, "step", where);
  if (line.contains("evaluation")) {
    std::erase_if(evaluations_, [&](const RunEvaluation& each) { return each.step >= step; });
    evaluations_.push_back(
        {step, json_get<std::map<std::string, double>>(line, "evaluation", where)});
  } else if (!line.contains("taken_from")) {
    take_step(line, where);
  }
}

void RunRecord::take_step(const Json& line, const std::string& where) {
  const auto number = [&](const char* key) { return json_get_or<double>(line, key, 0.0, where); };
  RunStep step{.step = json_get<int64_t>(line, "step", where),
               .stage = json_get<std::string>(line, "stage", where),
               .progress = number("progress"),
               .loss = json_get_or<double>(line, "loss", kNone, where),
               .lr_factor = number("lr_factor"),
               .gradient_norm = number("gradient_norm"),
               .tokens = number("tokens"),
               .images = number("images"),
               .samples = number("samples"),
               .skipped = number("skipped"),
               .seconds = number("seconds"),
               .waited_for_ranks = number("waited_for_ranks"),
               .exchanging = number("exchanging"),
               .peak_memory = number("peak_memory_mib")};
  if (!line.contains("loss")) json_missing(where, "loss");
  if (line.contains("gradient_norms")) {
    for (const auto& [part, norm] : line["gradient_norms"].items()) {
      step.gradient_norms[part] = norm.is_number() ? norm.get<double>() : kNone;
    }
  }
  while (!steps_.empty() && steps_.back().step >= step.step) steps_.pop_back();
  std::erase_if(evaluations_, [&](const RunEvaluation& each) { return each.step >= step.step; });
  check(steps_.empty() || steps_.back().step + 1 == step.step,
        "{}: step {} follows step {}: the lines between them are missing", where, step.step,
        steps_.empty() ? 0 : steps_.back().step);
  // The line holds the sum over the stage's steps of this session.
  const double waited = number("waited_for_data");
  step.waited = waited >= waited_ ? waited - waited_ : waited;
  waited_ = waited;
  steps_.push_back(std::move(step));
}

std::vector<RunStage> RunRecord::stages() const {
  std::vector<RunStage> stages;
  size_t first = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (i + 1 < steps_.size() && steps_[i + 1].stage == steps_[first].stage) continue;
    stages.push_back({steps_[first].stage, std::span(steps_).subspan(first, i + 1 - first)});
    first = i + 1;
  }
  return stages;
}

}  // namespace sightline
