#include "evaluate/result.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>

namespace sightline {
namespace {

using Row = std::vector<std::string>;

std::string prompt_text(const TaskResult& result) {
  const auto& predictions = result.predictions;
  const bool shared = std::all_of(predictions.begin(), predictions.end(),
                                  [&](const auto& each) { return each.prompt == result.prompt; });
  if (!shared) return "each its own";
  return result.prompt.empty() ? "none" : "\"" + result.prompt + "\"";
}

std::string heading(const TaskResult& result) {
  const std::string split = result.split.empty() ? "" : fmt::format(" ({})", result.split);
  return fmt::format("{}: {} {} of {}{}, prompt {}, {}", result.task, result.count,
                     result.kind == TaskKind::caption ? "captions" : "questions", result.data,
                     split, prompt_text(result), result.decoding);
}

std::vector<Row> cells_of(std::span<const TaskResult> results) {
  const TaskResult& last = results.back();
  std::vector<Row> rows(1, Row{""});
  for (const Score& each : last.scores) rows[0].push_back(each.name);
  for (const KindScore& each : last.kinds) {
    rows[0].push_back(fmt::format("{} ({})", each.kind, each.count));
  }
  for (const TaskResult& result : results) {
    Row row{result.who};
    for (const Score& each : result.scores) row.push_back(fmt::format("{:.4f}", each.value));
    for (const KindScore& each : result.kinds) row.push_back(fmt::format("{:.4f}", each.accuracy));
    SL_ASSERT(row.size() == rows[0].size(), "{} has {} cells, {} columns", result.who, row.size(),
              rows[0].size());
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string line_of(const Row& row, const std::vector<size_t>& widths, TableStyle style) {
  const bool markdown = style == TableStyle::markdown;
  std::string line = markdown ? "|" : "";
  for (size_t c = 0; c < row.size(); ++c) {
    const std::string cell = c == 0 ? fmt::format("{:<{}}", row[c], widths[c])
                                    : fmt::format("{:>{}}", row[c], widths[c]);
    line += markdown ? " " + cell + " |" : (c == 0 ? "" : "  ") + cell;
  }
  return line + "\n";
}

Json prediction_json(const Prediction& prediction) {
  Json json;
  json["image_id"] = prediction.id;
  json["caption"] = prediction.text;
  json["prompt"] = prediction.prompt;
  if (!prediction.kind.empty()) json["kind"] = prediction.kind;
  json["references"] = prediction.references;
  json["where"] = prediction.where;
  json["log_probability"] = prediction.log_probability;
  return json;
}

Json predictions_json(const TaskResult& result) {
  Json list = Json::array();
  for (const Prediction& each : result.predictions) list.push_back(prediction_json(each));
  return list;
}

}  // namespace

std::string table_of(std::span<const TaskResult> results, TableStyle style) {
  SL_ASSERT(!results.empty(), "a table of nothing");
  const std::vector<Row> rows = cells_of(results);
  std::vector<size_t> widths(rows[0].size(), 3);
  for (const Row& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text = heading(results.back()) + "\n\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    text += line_of(rows[r], widths, style);
    if (r > 0 || style != TableStyle::markdown) continue;
    text += "|";
    for (size_t c = 0; c < widths.size(); ++c) {
      text += " " + std::string(widths[c] - 1, '-') + (c == 0 ? "- |" : ": |");
    }
    text += "\n";
  }
  return text;
}

Json scores_json(std::span<const TaskResult> results) {
  const TaskResult& last = results.back();
  Json json;
  json["task"] = last.task;
  json["data"] = last.data;
  json["split"] = last.split;
  json["count"] = last.count;
  json["prompt"] = prompt_text(last);
  json["decoding"] = last.decoding;
  for (const TaskResult& result : results) {
    Json& row = json["scores"][result.who];
    for (const Score& each : result.scores) row[each.name] = each.value;
    for (const KindScore& each : result.kinds) {
      row["by_kind"][each.kind] = {{"count", each.count}, {"accuracy", each.accuracy}};
    }
  }
  return json;
}

void check_result_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) fail_usage("{}: is a file; name a folder", folder.string());
  if (!fs::is_empty(folder) && !fs::exists(folder / "scores.json")) {
    fail_usage("{}: holds something else than results; name a new folder", folder.string());
  }
}

void write_results(std::span<const TaskResult> results, const std::filesystem::path& folder) {
  SL_ASSERT(!results.empty(), "nothing to write");
  check_result_folder(folder);
  FolderWriter writer(folder);
  for (const TaskResult& result : results.first(results.size() - 1)) {
    write_json(writer.staging() / (result.who + ".json"), predictions_json(result));
  }
  write_json(writer.staging() / "predictions.json", predictions_json(results.back()));
  Json references = Json::object();
  for (const Prediction& each : results.back().predictions) {
    references[std::to_string(each.id)] = each.references;
  }
  write_json(writer.staging() / "references.json", references);
  write_json(writer.staging() / "scores.json", scores_json(results));
  write_file(writer.staging() / "table.txt", table_of(results, TableStyle::text));
  write_file(writer.staging() / "table.md", table_of(results, TableStyle::markdown));
  writer.commit();
}

void write_result(const TaskResult& result, const std::filesystem::path& folder) {
  write_results({&result, 1}, folder);
}

}  // namespace sightline
