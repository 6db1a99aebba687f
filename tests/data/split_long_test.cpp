#include "data/split_long.h"

#include "data/loader.h"
#include "tests/data/loader_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 4;

class OneExample : public Dataset {
 public:
  explicit OneExample(Example example) : example_(std::move(example)) {}
  size_t size() const override { return 1; }
  Example example(size_t) const override { return example_; }

 private:
  Example example_;
};

class SplitLong : public testing::Test {
 protected:
  Tokenizer tokenizer = test::tiny_tokenizer();
  PromptTemplate prompt = PromptTemplate::named("plain", tokenizer);
  SampleEncoder encoder{prompt, kRows};

  static std::vector<Turn> exchange(const std::string& words, int images) {
    return {{.role = Role::user, .text = words, .images = images},
            {.role = Role::assistant, .text = words + "!"}};
  }

  // Four exchanges; the first shows a.jpg, the third b.jpg before its words and c.jpg after them.
  static Example talk() {
    Example example{.where = "talks.jsonl:7"};
    for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) example.images.push_back({.path = name});
    std::vector<Turn> turns;
    for (const auto& [words, images] :
         {std::pair{"one", 1}, {"two", 0}, {"three", 1}, {"four", 0}}) {
      for (Turn& turn : exchange(words, images)) turns.push_back(std::move(turn));
    }
    turns[4].more = {{"", 1}};
    example.conversations = {turns};
    example.references = {" four! "};
    return example;
  }

  int64_t rows(const Example& example) {
    return static_cast<int64_t>(encoder.encode(example).conversations.at(0).tokens.size());
  }
  std::unique_ptr<Dataset> split(Example example, int64_t max_rows) {
    return split_long(std::make_unique<OneExample>(std::move(example)), encoder, max_rows);
  }
};

TEST_F(SplitLong, WhatFitsStaysAsItIs) {
  const auto data = split(talk(), rows(talk()));
  ASSERT_EQ(data->size(), 1u);
  EXPECT_EQ(data->example(0).conversations, talk().conversations);
  EXPECT_EQ(data->example(0).where, "talks.jsonl:7");
}

// Whatever the bound, the parts in order are the conversation, each as long as the bound allows and
// with the pictures that its own turns show.
TEST_F(SplitLong, ThePartsAreTheWholeAndTakeTheirPicturesAlong) {
  for (int64_t max_rows = 1; max_rows < rows(talk()); ++max_rows) {
    const auto data = split(talk(), max_rows);
    ASSERT_GE(data->size(), 2u);
    std::vector<Turn> turns;
    std::vector<std::string> images;
    for (size_t i = 0; i < data->size(); ++i) {
      const Example part = data->example(i);
      ASSERT_EQ(part.conversations.size(), 1u);
      const auto& conversation = part.conversations[0];
      ASSERT_EQ(conversation.size() % 2, 0u) << "cut within an exchange";
      EXPECT_EQ(images_of(conversation), static_cast<int64_t>(part.images.size()));
      EXPECT_TRUE(conversation.size() == 2 || rows(part) <= max_rows) << max_rows;
      turns.insert(turns.end(), conversation.begin(), conversation.end());
      for (const ImageSource& image : part.images) images.push_back(image.path);
      const bool is_last = i + 1 == data->size();
      EXPECT_EQ(part.references.at(0), is_last ? " four! " : conversation.back().text);
      EXPECT_THAT(part.where, HasSubstr("talks.jsonl:7 (turns "));
    }
    EXPECT_EQ(turns, talk().conversations[0]);
    EXPECT_THAT(images, testing::ElementsAre("a.jpg", "b.jpg", "c.jpg"));
  }
}

TEST_F(SplitLong, PartsAreAsLongAsTheBoundAllows) {
  Example first = talk(), second = talk();
  first.conversations[0].resize(4);
  first.images.resize(1);
  second.conversations[0].erase(second.conversations[0].begin(),
                                second.conversations[0].begin() + 4);
  second.images.erase(second.images.begin());
  const auto data = split(talk(), std::max(rows(first), rows(second)));
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->example(0).where, "talks.jsonl:7 (turns 1 to 4)");
  EXPECT_EQ(data->example(1).where, "talks.jsonl:7 (turns 5 to 8)");
}

// The loader then finds the part that is too long by itself, and no other.
TEST_F(SplitLong, AnExchangeTooLongByItselfIsABadSample) {
  Example example{.where = "talks.jsonl:9"};
  std::vector<Turn> turns = exchange("short", 0);
  for (Turn& turn : exchange(std::string(300, 'x') + " y z", 0)) turns.push_back(turn);
  example.conversations = {turns};
  example.references = {"end"};
  const auto data = split(example, 40);
  ASSERT_EQ(data->size(), 2u);
  LoaderOptions options;
  options.entries = {{.dataset = data.get()}};
  options.encoder = &encoder;
  options.compose = {.rows_per_image = kRows};
  options.max_rows = 40;
  EXPECT_THAT(test::message_of([&] { test::all_steps(options); }),
              HasSubstr("talks.jsonl:9 (turns 3 to 4): the conversation takes"));
  options.entries[0].on_bad_sample = OnBadSample::skip;
  const auto steps = test::all_steps(options);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].num_samples, 1);
  EXPECT_EQ(steps[0].skipped, 1);
}

TEST_F(SplitLong, BranchesThatFitAreLeftAlone) {
  Example example{.where = "captions:1"};
  example.images = {{.path = "a.jpg"}};
  for (const char* words : {"one", "two", "three"}) {
    example.conversations.push_back(exchange(words, 1));
    example.references.emplace_back(words);
  }
  EXPECT_EQ(split(example, 40)->size(), 1u);
}

}  // namespace
}  // namespace sightline
