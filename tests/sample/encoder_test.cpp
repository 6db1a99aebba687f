#include "sample/encoder.h"

#include "base/error.h"
#include "tests/message_of.h"
#include "tests/text/tiny_tokenizer.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::message_of;

constexpr int64_t kRowsPerImage = 4;

Example caption_example(int pictures = 1) {
  Example example{.where = "captions.txt:7"};
  for (int i = 0; i < pictures; ++i) example.images.push_back({.path = "a.jpg"});
  example.conversations = {{{.role = Role::user, .text = "what is it?", .images = pictures},
                            {.role = Role::assistant, .text = "a cat"}}};
  example.references = {" a cat "};
  return example;
}

class Encoder : public testing::TestWithParam<const char*> {
 protected:
  Tokenizer tokenizer = test::tiny_chat_tokenizer();
  PromptTemplate prompt = PromptTemplate::named(GetParam(), tokenizer);
  SampleEncoder encoder{prompt, kRowsPerImage};
};

TEST_P(Encoder, LaysOutPicturesWordsAndAnswer) {
  const Sample sample = encoder.encode(caption_example(2));
  ASSERT_EQ(sample.conversations.size(), 1u);
  const Rows& rows = sample.conversations[0];
  ASSERT_EQ(rows.kinds.size(), rows.tokens.size());
  ASSERT_EQ(rows.supervised.size(), rows.tokens.size());
  EXPECT_EQ(std::count(rows.tokens.begin(), rows.tokens.end(), kImageRow), 2 * kRowsPerImage);
  std::vector<int32_t> supervised;
  for (size_t i = 0; i < rows.tokens.size(); ++i) {
    EXPECT_EQ(rows.tokens[i] == kImageRow, rows.kinds[i] == RowKind::image) << i;
    if (rows.supervised[i]) {
      EXPECT_EQ(rows.kinds[i], RowKind::assistant) << i;
      supervised.push_back(rows.tokens[i]);
    }
  }
  std::vector<int32_t> expected = tokenizer.encode("a cat");
  expected.push_back(prompt.end_ids()[0]);
  EXPECT_EQ(supervised, expected);
  EXPECT_EQ(sample.where, "captions.txt:7");
  EXPECT_EQ(sample.images.size(), 2u);
  EXPECT_EQ(sample.references, std::vector<std::string>{" a cat "});
}

TEST_P(Encoder, ThePromptIsAPrefixOfTheWhole) {
  const Example example = caption_example();
  const Rows whole = encoder.encode(example).conversations[0];
  const Rows start = encoder.encode_prompt(std::span(example.conversations[0]).first(1));
  ASSERT_LT(start.tokens.size(), whole.tokens.size());
  EXPECT_TRUE(std::equal(start.tokens.begin(), start.tokens.end(), whole.tokens.begin()));
  EXPECT_TRUE(std::equal(start.kinds.begin(), start.kinds.end(), whole.kinds.begin()));
  EXPECT_EQ(std::count(start.supervised.begin(), start.supervised.end(), 1), 0);
  EXPECT_TRUE(whole.supervised[start.tokens.size()]);
  EXPECT_TRUE(start.awaits_answer);
  EXPECT_FALSE(whole.awaits_answer);
}

// Three turns of each and two images, the second between words: what is learnt is what the
// assistant says, each time with the end token, and nothing else; every prompt of it is a prefix.
TEST_P(Encoder, LearnsTheAssistantsWordsAndNothingElse) {
  Example example{.where = "talk.json"};
  example.images = {{.path = "a.jpg"}, {.path = "b.jpg"}};
  const std::vector<std::string> answers = {"a cat", "two dogs", "the red one"};
  example.conversations = {
      {{.role = Role::user, .text = "what is it?", .images = 1},
       {.role = Role::assistant, .text = answers[0]},
       {.role = Role::user, .text = "and in", .more = {{.text = "are there more?", .images = 1}}},
       {.role = Role::assistant, .text = answers[1]},
       {.role = Role::user, .text = "which do you like?"},
       {.role = Role::assistant, .text = answers[2]}}};
  const Rows rows = encoder.encode(example).conversations.at(0);
  std::vector<std::vector<int32_t>> learnt;
  for (size_t i = 0; i < rows.tokens.size(); ++i) {
    if (!rows.supervised[i]) continue;
    EXPECT_EQ(rows.kinds[i], RowKind::assistant) << i;
    if (i == 0 || !rows.supervised[i - 1]) learnt.emplace_back();
    learnt.back().push_back(rows.tokens[i]);
  }
  std::vector<std::vector<int32_t>> expected;
  for (const std::string& answer : answers) {
    expected.push_back(tokenizer.encode(answer));
    expected.back().push_back(prompt.end_ids()[0]);
  }
  EXPECT_EQ(learnt, expected);
  EXPECT_EQ(std::count(rows.kinds.begin(), rows.kinds.end(), RowKind::image), 2 * kRowsPerImage);
  for (const size_t turns : {1u, 3u, 5u}) {
    const Rows start = encoder.encode_prompt(std::span(example.conversations[0]).first(turns));
    ASSERT_LT(start.tokens.size(), rows.tokens.size());
    EXPECT_TRUE(std::equal(start.tokens.begin(), start.tokens.end(), rows.tokens.begin()));
    EXPECT_TRUE(rows.supervised[start.tokens.size()]);
  }
}

TEST_P(Encoder, TextAlone) {
  Example example{.where = "texts:1"};
  example.conversations = {{{.role = Role::assistant, .text = "two dogs and 12 cats"}}};
  const SampleEncoder text_encoder(prompt, 0);
  const Rows rows = text_encoder.encode(example).conversations[0];
  for (const RowKind kind : rows.kinds) EXPECT_EQ(kind, RowKind::assistant);
  EXPECT_GE(std::count(rows.supervised.begin(), rows.supervised.end(), 1), 6);
}

INSTANTIATE_TEST_SUITE_P(Templates, Encoder, testing::Values("plain", "chatml"));

TEST(EncoderErrors, NameTheExample) {
  const Tokenizer tokenizer = test::tiny_tokenizer();
  const PromptTemplate prompt = PromptTemplate::named("plain", tokenizer);
  const auto message = [&](const Example& example, int64_t rows_per_image) {
    return message_of([&] { SampleEncoder(prompt, rows_per_image).encode(example); });
  };
  EXPECT_EQ(message(caption_example(), kRowsPerImage), test::kNoError);
  EXPECT_THAT(message(caption_example(), 0), testing::StartsWith("captions.txt:7: has a picture"));

  Example unseen = caption_example();
  unseen.images.push_back({.path = "b.jpg"});
  EXPECT_THAT(message(unseen, kRowsPerImage), testing::HasSubstr("2 pictures"));

  Example none = caption_example();
  none.conversations.clear();
  EXPECT_THAT(message(none, kRowsPerImage), testing::HasSubstr("no conversation"));

  Example unanswered = caption_example();
  unanswered.conversations[0].pop_back();
  EXPECT_THAT(message(unanswered, kRowsPerImage), testing::StartsWith("captions.txt:7: "));

  // Without a begin token an empty text is its end token alone, which nothing can predict.
  const Tokenizer without_bos =
      train_tokenizer(test::tiny_corpus(), {.vocab_size = 300, .bos_token = ""});
  const PromptTemplate plain = PromptTemplate::named("plain", without_bos);
  Example empty{.where = "texts:3"};
  empty.conversations = {{{.role = Role::assistant, .text = ""}}};
  EXPECT_THAT(message_of([&] { SampleEncoder(plain, 0).encode(empty); }),
              testing::StartsWith("texts:3: a conversation has no token to learn"));
}

}  // namespace
}  // namespace sightline
