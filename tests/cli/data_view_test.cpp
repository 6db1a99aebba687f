// What `inspect data` shows of a conversation of three turns about two pictures.

#include "cli/data_view.h"

#include "tests/data/support.h"
#include "tests/text/tiny_tokenizer.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kRows = 4;
constexpr const char* kConversation =
    R"({"messages": [)"
    R"({"role": "user", "content": [{"type": "image", "image": "a.png"}, {"type": "text", "text": "what is the cat doing"}]},)"
    R"({"role": "assistant", "content": "a cat sits"},)"
    R"({"role": "user", "content": [{"type": "image", "image": "b.png"}, {"type": "text", "text": "and the dog"}]},)"
    R"({"role": "assistant", "content": "the dog sits on the rug"},)"
    R"({"role": "user", "content": "two dogs"},)"
    R"({"role": "assistant", "content": "12 cats"}]})"
    "\n";

class DataView : public testing::TestWithParam<const char*> {
 protected:
  DataView() {
    write_text(folder_.path() / "a.png", png_of(1, 12, 8));
    write_text(folder_.path() / "b.png", png_of(2, 5, 7));
  }
  std::unique_ptr<Dataset> open(const std::string& lines) const {
    write_text(folder_.path() / "rows.jsonl", lines);
    return open_dataset("rows", {.annotations = (folder_.path() / "rows.jsonl").string(),
                                 .images = folder_.path().string(),
                                 .on_bad_sample = OnBadSample::skip});
  }

  const TemporaryFolder folder_;
  const Tokenizer tokenizer_ = tiny_chat_tokenizer();
  const PromptTemplate template_ = PromptTemplate::named(GetParam(), tokenizer_);
  const SampleEncoder encoder_{template_, kRows};
  const Reading reading_{encoder_, tokenizer_, kRows};
  const std::string end_ = tokenizer_.decode({template_.end_ids().data(), 1});
};

// The assistant's words with their end tokens are learnt, and nothing else is.
TEST_P(DataView, LabelsCoverTheAssistantsWordsAlone) {
  const SampleView view = view_of(*open(kConversation), 0, reading_);
  ASSERT_EQ(view.problem, "");
  ASSERT_EQ(view.conversations.size(), 1u);
  std::string learnt, given;
  int64_t images = 0;
  for (const TokenView& token : view.conversations[0]) {
    (token.is_learnt ? learnt : given) += token.text;
    images += token.kind == RowKind::image;
    EXPECT_TRUE(!token.is_learnt || token.kind == RowKind::assistant) << token.text;
  }
  EXPECT_EQ(learnt, "a cat sits" + end_ + "the dog sits on the rug" + end_ + "12 cats" + end_);
  for (const char* words : {"what is the cat doing", "and the dog", "two dogs"}) {
    EXPECT_THAT(given, HasSubstr(words));
  }
  for (const char* words : {"a cat sits", "on the rug", "12 cats"}) {
    EXPECT_THAT(given, Not(HasSubstr(words)));
  }
  EXPECT_EQ(images, 2 * kRows);
}

TEST_P(DataView, TextTellsPicturesAndMarksWhatIsLearnt) {
  const std::string text = sample_text(view_of(*open(kConversation), 0, reading_));
  EXPECT_THAT(text, HasSubstr("picture 1: " + (folder_.path() / "a.png").string() +
                              ", 12 x 8 pixels, 4 rows"));
  EXPECT_THAT(text, HasSubstr("5 x 7 pixels"));
  EXPECT_THAT(text, HasSubstr("      image      1: 4 rows\n"));
  EXPECT_THAT(text, HasSubstr("      image      2: 4 rows\n"));
  size_t marked = 0;
  for (size_t at = text.find("    + "); at != std::string::npos; at = text.find("    + ", at + 1)) {
    EXPECT_EQ(text.compare(at, 17, "    + assistant  "), 0);
    ++marked;
  }
  EXPECT_EQ(marked, 3u);
}

TEST_P(DataView, CountsWhatIsThere) {
  const auto dataset =
      open(std::string(kConversation) + R"({"image": "a.png", "captions": ["a cat", "a dog"]})" +
           "\n{\"image\": \"a.png\", \"caption\": 3}\n");
  const TableView table = count_samples(*dataset, 10, reading_);
  EXPECT_EQ(table.samples, 3);
  EXPECT_EQ(table.bad, 1);
  EXPECT_EQ(table.pictures, 3);
  EXPECT_EQ(table.conversations, 3);
  ASSERT_EQ(table.lengths.size(), 3u);
  EXPECT_EQ(table.rows, table.lengths[0] + table.lengths[1] + table.lengths[2]);
  EXPECT_EQ(count_samples(*dataset, 1, reading_).conversations, 1);
}

TEST_P(DataView, TellsWhatIsWrongWithASample) {
  const auto dataset = open(
      "{\"image\": \"a.png\", \"caption\": 3}\n{\"image\": \"gone.png\", \"caption\": \"a "
      "cat\"}\n");
  EXPECT_THAT(sample_text(view_of(*dataset, 0, reading_)), HasSubstr("rows.jsonl:1"));
  EXPECT_THAT(sample_text(view_of(*dataset, 1, reading_)), HasSubstr("gone.png"));
  EXPECT_TRUE(to_json(view_of(*dataset, 1, reading_)).contains("problem"));
}

INSTANTIATE_TEST_SUITE_P(Templates, DataView, testing::Values("plain", "chatml"));

}  // namespace
}  // namespace sightline::test
