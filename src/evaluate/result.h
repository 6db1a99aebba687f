#pragma once
// Results as files and as tables for people. A result's folder holds
//   predictions.json   a list, one object a case: image_id, caption (what was answered), prompt,
//                      kind, references, where, log_probability. coco-caption's results format,
//                      with more keys.
//   references.json    image_id -> references, so that
//                      `sightline score --references ... --results ...` gives the same numbers
//   scores.json        task, kind, data set, split, count, prompt, decoding, and the scores of
//   every
//                      row with their 95 % intervals
//   table.txt, .md     the same to read
// Of several results (baselines, then the model) the last one's predictions are predictions.json,
// the others' <who>.json.

#include "base/json.h"
#include "evaluate/task.h"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace sightline {

enum class TableStyle { text, markdown };

// Rows are results of one task; the columns are scores, and by kind the first of them.
std::string table_of(std::span<const TaskResult> results, TableStyle style);

// The task, how much of which data, prompt and decoding: one line.
std::string heading_of(const TaskResult& result);

Json scores_json(std::span<const TaskResult> results);

// Writing replaces the folder, so one that holds anything but earlier results is a UsageError. To
// be asked before the work starts.
void check_result_folder(const std::filesystem::path& folder);

void write_results(std::span<const TaskResult> results, const std::filesystem::path& folder);
// What write_results wrote, all but the scores: every result in its order, or the last alone (the
// model's). A folder without scores.json is a UsageError.
std::vector<TaskResult> read_results(const std::filesystem::path& folder);
TaskResult read_result(const std::filesystem::path& folder);

void write_result(const TaskResult& result, const std::filesystem::path& folder);

}  // namespace sightline
