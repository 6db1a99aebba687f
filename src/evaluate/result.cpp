#include "evaluate/result.h"

#include "base/error.h"
#include "base/file.h"
#include "recipe/names.h"

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
    for (const KindScore& each : result.kinds) {
      row.push_back(fmt::format("{:.4f}", each.scores.front().value));
    }
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

// What is quoted from a result, and so wants an interval in the table; scores.json has them all.
bool is_headline(const std::string& name) {
  return name == "CIDEr" || name == "Bleu_4" || name == "ROUGE_L" || name == "vqa_accuracy" ||
         name == "exact_match" || name == "token_recall" || name == "yes_no_accuracy";
}

std::string intervals_text(std::span<const TaskResult> results) {
  std::string lines;
  for (const TaskResult& result : results) {
    for (const Score& each : result.scores) {
      if (!each.interval || !is_headline(each.name)) continue;
      lines += fmt::format("    {} {} {:.4f} [{:.4f}, {:.4f}]\n", result.who, each.name, each.value,
                           each.interval->low, each.interval->high);
    }
  }
  if (lines.empty()) return "";
  const bool captions = results.back().kind == TaskKind::caption;
  return fmt::format("\n95 % intervals, by {} resamples of the examples{}:\n\n{}",
                     BootstrapOptions().resamples,
                     captions ? " (CIDEr's word weights are those of the whole set)" : "", lines);
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

Prediction prediction_from_json(const Json& json, const std::string& source) {
  Prediction prediction;
  prediction.id = json_get<int64_t>(json, "image_id", source);
  prediction.text = json_get<std::string>(json, "caption", source);
  prediction.prompt = json_get<std::string>(json, "prompt", source);
  prediction.kind = json_get_or<std::string>(json, "kind", "", source);
  prediction.references = json_get<std::vector<std::string>>(json, "references", source);
  prediction.where = json_get<std::string>(json, "where", source);
  prediction.log_probability = json_get<double>(json, "log_probability", source);
  return prediction;
}

Json scores_in(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "scores.json";
  if (!std::filesystem::exists(file)) {
    fail_usage("{}: no scores.json in it; a folder that `evaluate` wrote is meant",
               folder.string());
  }
  return read_json(file);
}

// Task, data and decoding of what scores.json holds.
TaskResult described(const Json& scores, const std::string& source) {
  const auto text = [&](const char* key) { return json_get<std::string>(scores, key, source); };
  TaskResult result{.task = text("task")};
  const auto kind = enum_named<TaskKind>(text("kind"));
  check(kind.has_value(), "{}: \"kind\" is \"{}\"; it may be \"caption\" or \"question\"", source,
        text("kind"));
  result.kind = *kind;
  result.data = text("data");
  result.split = text("split");
  result.decoding = text("decoding");
  return result;
}

void read_predictions(const std::filesystem::path& path, TaskResult& result) {
  const std::string file = path.string();
  const Json predictions = read_json(path);
  check(predictions.is_array() && !predictions.empty(), "{}: no list of predictions", file);
  for (size_t i = 0; i < predictions.size(); ++i) {
    result.predictions.push_back(
        prediction_from_json(predictions[i], fmt::format("{}: [{}]", file, i)));
  }
  result.count = static_cast<int64_t>(result.predictions.size());
  result.prompt = result.predictions.front().prompt;
  for (const Prediction& each : result.predictions) {
    if (each.prompt != result.prompt) result.prompt.clear();
  }
}

Json predictions_json(const TaskResult& result) {
  Json list = Json::array();
  for (const Prediction& each : result.predictions) list.push_back(prediction_json(each));
  return list;
}

}  // namespace

std::string heading_of(const TaskResult& result) {
  const std::string split = result.split.empty() ? "" : fmt::format(" ({})", result.split);
  return fmt::format("{}: {} {} of {}{}, prompt {}, {}\n", result.task, result.count,
                     result.kind == TaskKind::caption ? "captions" : "questions", result.data,
                     split, prompt_text(result), result.decoding);
}

std::string table_of(std::span<const TaskResult> results, TableStyle style) {
  SL_ASSERT(!results.empty(), "a table of nothing");
  const std::vector<Row> rows = cells_of(results);
  std::vector<size_t> widths(rows[0].size(), 3);
  for (const Row& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text = heading_of(results.back()) + "\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    text += line_of(rows[r], widths, style);
    if (r > 0 || style != TableStyle::markdown) continue;
    text += "|";
    for (size_t c = 0; c < widths.size(); ++c) {
      text += " " + std::string(widths[c] - 1, '-') + (c == 0 ? "- |" : ": |");
    }
    text += "\n";
  }
  const std::vector<KindScore>& kinds = results.back().kinds;
  if (!kinds.empty()) text += "\nBy kind: " + kinds.front().scores.front().name + ".\n";
  return text + intervals_text(results);
}

Json scores_json(std::span<const TaskResult> results) {
  const TaskResult& last = results.back();
  Json json;
  json["task"] = last.task;
  json["kind"] = enum_name(last.kind);
  json["data"] = last.data;
  json["split"] = last.split;
  json["count"] = last.count;
  json["prompt"] = prompt_text(last);
  json["decoding"] = last.decoding;
  for (const TaskResult& result : results) {
    Json& row = json["scores"][result.who];
    for (const Score& each : result.scores) row[each.name] = each.value;
    for (const Score& each : result.scores) {
      if (each.interval) {
        row["intervals"][each.name] = {each.interval->low, each.interval->high};
      }
    }
    for (const KindScore& each : result.kinds) {
      Json& of_kind = row["by_kind"][each.kind];
      of_kind["count"] = each.count;
      for (const Score& score : each.scores) of_kind[score.name] = score.value;
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

std::vector<TaskResult> read_results(const std::filesystem::path& folder) {
  const std::string source = (folder / "scores.json").string();
  const Json scores = scores_in(folder);
  const Json rows = json_get<Json>(scores, "scores", source);
  check(rows.is_object() && !rows.empty(), "{}: \"scores\" holds no result", source);
  std::vector<TaskResult> results;
  for (const auto& [who, row] : rows.items()) {
    const bool last = results.size() + 1 == rows.size();
    results.push_back(described(scores, source));
    results.back().who = who;
    const std::string name = last ? "predictions" : who;
    read_predictions(folder / (name + ".json"), results.back());
  }
  return results;
}

TaskResult read_result(const std::filesystem::path& folder) {
  TaskResult result = described(scores_in(folder), (folder / "scores.json").string());
  result.who = "model";
  read_predictions(folder / "predictions.json", result);
  return result;
}

void write_result(const TaskResult& result, const std::filesystem::path& folder) {
  write_results({&result, 1}, folder);
}

}  // namespace sightline
