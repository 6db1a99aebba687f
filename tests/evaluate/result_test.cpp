// What a result looks like on paper and on disk.

#include "evaluate/result.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

TaskResult result_of(const std::string& who, double accuracy) {
  TaskResult result{.task = "vqa", .kind = TaskKind::question, .who = who};
  result.data = "scenes";
  result.split = "unseen";
  result.decoding = "greedy, at most 4 tokens";
  result.count = 2;
  result.scores = {{"exact_match", accuracy}};
  result.kinds = {{"colour", 1, {{"exact_match", accuracy}}},
                  {"count", 1, {{"exact_match", accuracy}, {"token_f1", 0.25}}}};
  result.predictions = {{.id = 0,
                         .where = "a:1",
                         .kind = "colour",
                         .prompt = "what colour?",
                         .text = "red",
                         .references = {"red"},
                         .log_probability = -0.5},
                        {.id = 1,
                         .where = "a:2",
                         .kind = "count",
                         .prompt = "how many?",
                         .text = "t\xff",
                         .references = {"two"}}};
  return result;
}

TEST(Result, TableHasARowForEach) {
  const std::vector<TaskResult> results = {result_of("blind", 0.5), result_of("model", 1.0)};
  EXPECT_EQ(table_of(results, TableStyle::text),
            "vqa: 2 questions of scenes (unseen), prompt each its own, greedy, at most 4 tokens\n\n"
            "       exact_match  colour (1)  count (1)\n"
            "blind       0.5000      0.5000     0.5000\n"
            "model       1.0000      1.0000     1.0000\n\n"
            "By kind: exact_match.\n");
  EXPECT_THAT(table_of(results, TableStyle::markdown),
              HasSubstr("|       | exact_match | colour (1) | count (1) |\n"
                        "| ----- | ----------: | ---------: | --------: |\n"
                        "| blind |      0.5000 |     0.5000 |    0.5000 |\n"));
}

TEST(Result, FilesHoldWhatWasAnswered) {
  const TemporaryFolder folder;
  const std::vector<TaskResult> results = {result_of("blind", 0.5), result_of("model", 1.0)};
  const auto path = folder.path() / "results";
  write_results(results, path);
  const Json predictions = read_json(path / "predictions.json");
  ASSERT_EQ(predictions.size(), 2u);
  EXPECT_EQ(predictions[0]["caption"], "red");
  EXPECT_EQ(predictions[0]["kind"], "colour");
  EXPECT_EQ(read_json(path / "references.json")["1"][0], "two");
  EXPECT_EQ(read_json(path / "scores.json")["scores"]["blind"]["exact_match"], 0.5);
  EXPECT_EQ(read_json(path / "scores.json")["scores"]["model"]["by_kind"]["count"],
            Json({{"count", 1}, {"exact_match", 1.0}, {"token_f1", 0.25}}));
  EXPECT_TRUE(std::filesystem::exists(path / "blind.json"));
  EXPECT_EQ(read_file(path / "table.txt"), table_of(results, TableStyle::text));
  write_results(results, path);  // earlier results may be replaced
}

TEST(Result, TellsItsIntervals) {
  TaskResult result = result_of("model", 0.5);
  result.scores[0].interval = Interval{0.25, 0.75};
  EXPECT_THAT(table_of({&result, 1}, TableStyle::text),
              HasSubstr("95 % intervals, by 1000 resamples of the examples:\n\n"
                        "    model exact_match 0.5000 [0.2500, 0.7500]\n"));
  const Json scores = scores_json({&result, 1});
  EXPECT_EQ(scores["scores"]["model"]["intervals"]["exact_match"], Json({0.25, 0.75}));
  EXPECT_EQ(scores["split"], "unseen");
}

TEST(Result, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  const TaskResult result = result_of("model", 1.0);
  write_result(result, folder.path() / "results");
  const TaskResult read = read_result(folder.path() / "results");
  EXPECT_EQ(read.task, "vqa");
  EXPECT_EQ(read.kind, TaskKind::question);
  EXPECT_EQ(heading_of(read), heading_of(result));
  ASSERT_EQ(read.predictions.size(), 2u);
  EXPECT_EQ(read.predictions[0].text, "red");
  EXPECT_EQ(read.predictions[0].references, result.predictions[0].references);
}

TEST(Result, NeverReplacesAFolderOfOtherThings) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "precious.txt") << "mine";
  EXPECT_THROW(write_result(result_of("model", 1.0), folder.path()), UsageError);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "precious.txt"));
}

}  // namespace
}  // namespace sightline::test
