#include "evaluate/pool.h"

#include "base/error.h"
#include "evaluate/cases.h"
#include "evaluate/result.h"

#include <map>

namespace sightline {

namespace fs = std::filesystem;

namespace {

void check_same(const std::vector<TaskResult>& first, const std::vector<TaskResult>& other,
                const std::string& folder) {
  const TaskResult &a = first.back(), &b = other.back();
  const auto check_equal = [&](const char* what, const std::string& ours,
                               const std::string& theirs) {
    check(ours == theirs,
          "{}: its {} is \"{}\", and \"{}\" in the first folder: pool results of "
          "one task",
          folder, what, theirs, ours);
  };
  check_equal("task", a.task, b.task);
  check(a.kind == b.kind, "{}: captions and questions can't be pooled", folder);
  check_equal("decoding", a.decoding, b.decoding);
  check(first.size() == other.size(),
        "{}: it holds {} results, the first folder {}: evaluate all "
        "pieces with the same baselines",
        folder, other.size(), first.size());
  for (size_t i = 0; i < first.size(); ++i) check_equal("row", first[i].who, other[i].who);
}

// The folder of each example, by its number.
using Seen = std::map<std::string, size_t>;

void check_apart(const TaskResult& piece, std::span<const fs::path> folders, size_t folder,
                 Seen& seen) {
  for (const Prediction& each : piece.predictions) {
    const size_t first = seen.emplace(each.where, folder).first->second;
    check(first == folder, "{}: {} was answered in {} too: pool pieces that share no example",
          folders[folder].string(), each.where, folders[first].string());
  }
}

void append(const TaskResult& piece, TaskResult& whole) {
  for (const Prediction& each : piece.predictions) {
    whole.predictions.push_back(each);
    whole.predictions.back().id = static_cast<int64_t>(whole.predictions.size()) - 1;
  }
  if (piece.prompt != whole.prompt) whole.prompt.clear();
}

}  // namespace

std::vector<TaskResult> pool_results(std::span<const fs::path> folders) {
  SL_ASSERT(!folders.empty(), "nothing to pool");
  std::vector<TaskResult> whole = read_results(folders.front());
  Seen seen;
  check_apart(whole.back(), folders, 0, seen);
  for (size_t f = 1; f < folders.size(); ++f) {
    const std::vector<TaskResult> piece = read_results(folders[f]);
    check_same(whole, piece, folders[f].string());
    check_apart(piece.back(), folders, f, seen);
    for (size_t i = 0; i < whole.size(); ++i) append(piece[i], whole[i]);
  }
  for (TaskResult& each : whole) score(each);
  return whole;
}

}  // namespace sightline
