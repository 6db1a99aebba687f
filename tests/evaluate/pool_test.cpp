// Results on separate pieces of a data set, joined.

#include "evaluate/pool.h"

#include "base/error.h"
#include "base/file.h"
#include "evaluate/cases.h"
#include "evaluate/result.h"
#include "tests/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

// Two questions of each of `photos` photographs from `first` on, answered rightly up to `right`.
TaskResult piece(int64_t first, int64_t photos, int64_t right, const std::string& who) {
  TaskResult result{.task = "vqarad", .kind = TaskKind::question, .who = who};
  result.data = "held-out";
  result.decoding = "greedy";
  for (int64_t i = 0; i < 2 * photos; ++i) {
    result.predictions.push_back({.id = i,
                                  .where = fmt::format("rows:{}", first + i / 2),
                                  .kind = i % 2 == 0 ? "open" : "closed",
                                  .prompt = "what?",
                                  .text = i < right ? "this one" : "that",
                                  .references = {"this one"}});
  }
  score(result);
  return result;
}

class Pool : public testing::Test {
 protected:
  std::filesystem::path written(const std::string& name, const std::vector<TaskResult>& results) {
    write_results(results, folder_.path() / name);
    return folder_.path() / name;
  }
  // The error of pooling both.
  std::string refusal(const std::filesystem::path& a, const std::filesystem::path& b) {
    try {
      pool_results(std::vector{a, b});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder_;
};

TEST_F(Pool, ScoresTheWholeAsIfItHadBeenOne) {
  const std::vector<std::filesystem::path> folders = {
      written("1", {piece(0, 3, 1, "blind"), piece(0, 3, 4, "model")}),
      written("2", {piece(3, 1, 0, "blind"), piece(3, 1, 2, "model")})};
  const std::vector<TaskResult> whole = pool_results(folders);
  ASSERT_EQ(whole.size(), 2u);
  EXPECT_EQ(whole[0].who, "blind");
  EXPECT_EQ(whole[1].who, "model");
  EXPECT_EQ(whole[1].count, 8);
  EXPECT_EQ(whole[1].prompt, "what?");
  EXPECT_EQ(whole[1].predictions[7].id, 7);
  EXPECT_EQ(whole[1].predictions[7].where, "rows:3");
  ASSERT_EQ(whole[1].scores.front().name, "exact_match");
  EXPECT_DOUBLE_EQ(whole[1].scores.front().value, 6.0 / 8);  // not the mean of 4/6 and 2/2
  EXPECT_DOUBLE_EQ(whole[0].scores.front().value, 1.0 / 8);
  EXPECT_DOUBLE_EQ(whole[1].kinds.front().scores.front().value, 3.0 / 4);
  TaskResult at_once = piece(0, 4, 4, "model");
  at_once.predictions[6].text = at_once.predictions[7].text = "this one";
  score(at_once);
  EXPECT_DOUBLE_EQ(at_once.scores.front().interval->low, whole[1].scores.front().interval->low);
  written("3", whole);
  EXPECT_EQ(read_result(folder_.path() / "3").count, 8);
}

TEST_F(Pool, RefusesWhatIsNoPiece) {
  const auto first = written("1", {piece(0, 3, 4, "model")});
  EXPECT_THAT(refusal(first, first), HasSubstr("rows:0 was answered in"));
  EXPECT_THAT(refusal(first, written("2", {piece(2, 2, 1, "model")})),
              HasSubstr("rows:2 was answered in " + first.string() + " too"));
  EXPECT_THAT(refusal(first, written("3", {piece(3, 2, 1, "blind"), piece(3, 2, 1, "model")})),
              HasSubstr("holds 2 results, the first folder 1"));
  TaskResult other = piece(3, 2, 1, "model");
  other.task = "pathvqa";
  EXPECT_THAT(refusal(first, written("4", {other})), HasSubstr("its task is \"pathvqa\""));
  other = piece(3, 2, 1, "model");
  other.decoding = "5 beams";
  EXPECT_THAT(refusal(first, written("5", {other})), HasSubstr("its decoding is \"5 beams\""));
  EXPECT_THAT(refusal(first, folder_.path()), HasSubstr("no scores.json in it"));
}

TEST_F(Pool, NamesAResultThatIsGone) {
  const auto first = written("1", {piece(0, 3, 1, "blind"), piece(0, 3, 4, "model")});
  std::filesystem::remove(first / "blind.json");
  EXPECT_THAT(refusal(first, first), HasSubstr("blind.json"));
}

}  // namespace
}  // namespace sightline::test
