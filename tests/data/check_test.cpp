#include "data/check.h"

#include "tests/data/loader_fixture.h"

#include <array>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kRows = 4;

class CheckTable : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  Tokenizer tokenizer = test::tiny_tokenizer();
  PromptTemplate prompt = PromptTemplate::named("plain", tokenizer);
  SampleEncoder encoder{prompt, kRows};
  CheckOptions options{.encoder = &encoder, .compose = {.rows_per_image = kRows}};

  void add_picture(const std::string& name, uint64_t seed) {
    test::write_text(temporary.path() / name, test::png_of(seed));
  }
  std::string path(const std::string& name) { return (temporary.path() / name).string(); }
  TableCheck check(const std::string& name, const std::string& lines) {
    test::write_text(temporary.path() / (name + ".jsonl"), lines);
    const auto data = open_dataset(name, {.format = DataFormat::jsonl,
                                          .annotations = path(name + ".jsonl"),
                                          .images = temporary.path().string(),
                                          .on_bad_sample = OnBadSample::skip});
    return check_table(name, *data, options);
  }
};

TEST_F(CheckTable, CountsWhatTheLoaderWouldGive) {
  const test::MadeDataset data("made", 50);
  const TableCheck table = check_table("made", data, options);
  EXPECT_EQ(table.samples, 50);
  EXPECT_EQ(table.bad(), 0);
  EXPECT_EQ(table.places_of_picture.size(), 44u);  // every eighth is of text alone
  int64_t rows = 0, supervised = 0, conversations = 0, longest = 0;
  std::array<int64_t, 32> lengths{};
  for (size_t i = 0; i < data.size(); ++i) {
    const Sample sample = encoder.encode(data.example(i));
    rows += packed_rows(sample, options.compose);
    for (const Rows& each : sample.conversations) {
      ++conversations;
      longest = std::max(longest, static_cast<int64_t>(each.tokens.size()));
      size_t bits = 0;
      while ((size_t{1} << bits) < each.tokens.size()) ++bits;
      ++lengths[bits];
      supervised += std::count(each.supervised.begin(), each.supervised.end(), 1);
    }
  }
  EXPECT_EQ(table.rows, rows);
  EXPECT_EQ(table.supervised, supervised);
  EXPECT_EQ(table.conversations, conversations);
  EXPECT_EQ(table.longest, longest);
  EXPECT_EQ(std::accumulate(table.lengths.begin(), table.lengths.end(), int64_t{0}), conversations);
  EXPECT_EQ(table.lengths, lengths);
  options.workers = 4;
  const TableCheck again = check_table("made", data, options);
  EXPECT_EQ(again.rows, rows);
  EXPECT_EQ(again.places_of_picture, table.places_of_picture);
}

TEST_F(CheckTable, ListsEveryBadSampleInOrder) {
  add_picture("a.png", 1);
  test::write_text(temporary.path() / "torn.png", test::png_of(2).substr(0, 60));
  options.bounds.conversation = 60;
  options.workers = 3;
  const TableCheck table = check("photos", R"({"image": "a.png", "caption": "a cat"})"
                                           "\n"
                                           R"({"image": "torn.png", "caption": "a cat"})"
                                           "\n"
                                           R"({"image": "gone.png", "caption": "a cat"})"
                                           "\n"
                                           R"({"image": "torn.png", "caption": "a dog"})"
                                           "\n"
                                           R"({"image": "a.png", "captoin": "a dog"})"
                                           "\n"
                                           R"({"question": "what?", "answer": ")" +
                                               std::string(100, 'x') + "\"}\n");
  EXPECT_EQ(table.samples, 6);
  EXPECT_THAT(table.problems,
              ElementsAre(HasSubstr(".jsonl:2: "), HasSubstr(".jsonl:3: "), HasSubstr(".jsonl:4: "),
                          HasSubstr("did you mean"), HasSubstr("the model at most 60")));
  EXPECT_THAT(table.problems[0], HasSubstr("torn.png"));
  EXPECT_EQ(table.conversations, 1);
}

// The same pixels in another file, and in another table; the same file twice is no duplicate.
TEST_F(CheckTable, FindsTheSamePictures) {
  add_picture("a.png", 1);
  add_picture("b.png", 2);
  add_picture("copy/a.png", 1);
  const auto line = [](const std::string& image) {
    return "{\"image\": \"" + image + "\", \"caption\": \"a cat\"}\n";
  };
  const TableCheck train =
      check("train", line("a.png") + line("b.png") + line("copy/a.png") + line("b.png"));
  EXPECT_EQ(train.places_of_picture.size(), 2u);
  const auto duplicates = duplicates_in(train);
  ASSERT_EQ(duplicates.size(), 1u);
  EXPECT_EQ(duplicates[0].first, path("a.png"));
  EXPECT_EQ(duplicates[0].second, path("copy/a.png"));
  const TableCheck dev = check("dev", line("copy/a.png"));
  const auto shared = shared_by(train, dev);
  ASSERT_EQ(shared.size(), 1u);
  EXPECT_EQ(shared[0].first, path("a.png"));
  EXPECT_EQ(shared[0].second, path("copy/a.png"));
  add_picture("c.png", 3);
  EXPECT_TRUE(shared_by(train, check("test", line("c.png"))).empty());
}

}  // namespace
}  // namespace sightline
