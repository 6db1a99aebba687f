// `caption --attend`, with a small model of random weights.

#include "cli/attention_view.h"

#include "tests/data/support.h"
#include "tests/evaluate/toy_bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

TEST(AttentionView, WordsCoverTheTokensOnce) {
  const Bundle bundle = toy_bundle();
  const std::string caption = "a large red circle, left of it a square";
  const std::vector<int32_t> tokens = bundle.tokenizer->encode(caption);
  const std::vector<WordSpan> words = words_of(*bundle.tokenizer, tokens);
  std::string joined;
  size_t next = 0;
  for (const WordSpan& word : words) {
    EXPECT_EQ(word.begin, next);
    next = word.end;
    joined += (joined.empty() ? "" : " ") + word.text;
  }
  EXPECT_EQ(next, tokens.size());
  EXPECT_EQ(joined, caption);
  EXPECT_EQ(words.size(), 9u);
  EXPECT_EQ(words[3].text, "circle,");
}

TEST(AttentionView, PageTellsWhatTheModelSaw) {
  const TemporaryFolder folder;
  const std::string picture = (folder.path() / "wide.png").string();
  write_text(picture, png_of(3, 40, 20));
  Bundle bundle = toy_bundle();
  const std::vector<int32_t> answer = bundle.tokenizer->encode("a red circle");
  const AttentionPage squash = attention_page(bundle, picture, "look", answer);
  EXPECT_EQ(squash.picture, "wide.png");
  EXPECT_EQ(squash.words.size(), 3u);
  EXPECT_EQ(squash.cells_a_side, 2);
  EXPECT_EQ(squash.patches_a_side, 2);
  EXPECT_LT(squash.difference, 1e-5);
  EXPECT_EQ(squash.square_width, 40);
  EXPECT_EQ(squash.square_height, 20);
  for (const AttendedWord& word : squash.words) {
    ASSERT_EQ(word.cells.size(), 2u);
    EXPECT_EQ(word.cells[0].size(), 4u);
  }
  bundle.processor->fit = Processor::Fit::crop;
  const AttentionPage crop = attention_page(bundle, picture, "look", answer);
  EXPECT_EQ(crop.left, 10);
  EXPECT_EQ(crop.square_width, 20);
  bundle.processor->fit = Processor::Fit::pad;
  const AttentionPage pad = attention_page(bundle, picture, "look", answer);
  EXPECT_EQ(pad.top, -10);
  EXPECT_EQ(pad.square_height, 40);
}

}  // namespace
}  // namespace sightline::test
