// Stop strings over byte-level tokens, which end in the middle of words and of characters.

#include "generate/stop_strings.h"

#include "generate/beam_groups.h"
#include "generate/sampler.h"
#include "tests/text/tiny_tokenizer.h"

#include <cmath>

#include <gtest/gtest.h>

namespace sightline::test {
namespace {

// How many of the text's tokens are there when a stop string first is; 0: never.
size_t tokens_until_stop(const std::string& text, const std::vector<std::string>& stops) {
  const Tokenizer tokenizer = tiny_tokenizer();
  const Ids ids = tokenizer.encode(text);
  const StopStrings strings(tokenizer, stops);
  for (size_t count = 1; count <= ids.size(); ++count) {
    if (strings.are_in(std::span(ids).first(count))) return count;
  }
  return 0;
}

std::string text_of(const std::string& text, size_t count) {
  const Tokenizer tokenizer = tiny_tokenizer();
  Ids ids = tokenizer.encode(text);
  ids.resize(count);
  return tokenizer.decode(ids);
}

TEST(StopStrings, EndWithinAndAcrossTokens) {
  const std::string text = "the cat sits on the mat";
  for (const std::string stop : {"he c", "at s", "t", "sits on t", " mat", "e"}) {
    const size_t count = tokens_until_stop(text, {stop});
    ASSERT_GT(count, 0u) << stop;
    // The token that completes it, and not one later.
    EXPECT_NE(text_of(text, count).find(stop), std::string::npos) << stop;
    EXPECT_EQ(text_of(text, count - 1).find(stop), std::string::npos) << stop;
    EXPECT_EQ(before_stop(text_of(text, count), std::vector{stop}),
              text.substr(0, text.find(stop)));
  }
  EXPECT_EQ(tokens_until_stop(text, {"dog", "sits in"}), 0u);
}

TEST(StopStrings, MayBeCharactersOfSeveralTokens) {
  const std::string text = "a \u732b \U0001F431 is here";  // three and four bytes, a token each
  ASSERT_GT(tiny_tokenizer().encode("\U0001F431").size(), 1u);
  for (const std::string stop : {"\u732b", "\U0001F431 i"}) {
    const size_t count = tokens_until_stop(text, {stop});
    ASSERT_GT(count, 0u) << stop;
    EXPECT_EQ(before_stop(text_of(text, count), std::vector{stop}),
              text.substr(0, text.find(stop)));
  }
}

TEST(StopStrings, TheEarliestCounts) {
  const std::vector<std::string> stops = {"sits", "cat", "t s"};
  EXPECT_EQ(before_stop("the cat sits", stops), "the ");
  EXPECT_EQ(before_stop("nothing here", stops), "nothing here");
  EXPECT_EQ(before_stop("", stops), "");
}

// A search over a model that always says the same text.
class Reciter {
 public:
  explicit Reciter(const std::string& text) : ids_(tiny_tokenizer().encode(text)) {}
  Generated run(Search& search) const {
    const int64_t vocab = tiny_tokenizer().vocab_size();
    size_t rows = 1;
    for (size_t step = 0; rows > 0; ++step) {
      std::vector<float> row(static_cast<size_t>(vocab), -9.0f);
      row.at(step < ids_.size() ? ids_[step] : 1) = -0.1f;
      std::vector<float> all;
      for (size_t i = 0; i < rows; ++i) all.insert(all.end(), row.begin(), row.end());
      rows = search.step(all, vocab).size();
    }
    return search.answers().front();
  }

 private:
  Ids ids_;
};

TEST(StopStrings, EndEverySearch) {
  const std::string text = "the cat sits on the mat and the dog sits on the rug";
  const Endings endings{{0}, StopStrings(tiny_tokenizer(), {"mat a"})};
  const size_t expected = tokens_until_stop(text, {"mat a"});
  const DecodingRecipe greedy{.max_new_tokens = 50};
  const DecodingRecipe beams{.beams = 3, .max_new_tokens = 50, .length_penalty = 0.0};
  const DecodingRecipe drawn{.max_new_tokens = 50, .temperature = 0.1};
  for (const DecodingRecipe* decoding : {&greedy, &beams, &drawn}) {
    const auto search = make_search(*decoding, endings, 1);
    const Generated answer = Reciter(text).run(*search);
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(answer.tokens.size(), expected);
    EXPECT_EQ(answer.length(), static_cast<int64_t>(expected)) << "no end token came";
    EXPECT_NEAR(answer.log_probability, -0.1 * static_cast<double>(expected), 1e-4);
  }
}

// Many of the best continuations complete a stop string: the beams are refilled from further down.
TEST(StopStrings, BeamsAreRefilled) {
  const Tokenizer tokenizer = tiny_tokenizer();
  const std::vector<std::string> letters = {"a", "b", "c", "d", "e", "f", "g", "h"};
  const Endings endings{{0}, StopStrings(tokenizer, letters)};
  std::vector<float> row(static_cast<size_t>(tokenizer.vocab_size()), -30.0f);
  for (size_t i = 0; i < letters.size(); ++i) {
    row.at(tokenizer.encode(letters[i]).front()) = -1.0f - 0.1f * static_cast<float>(i);
  }
  const int32_t x = tokenizer.encode("x").front(), y = tokenizer.encode("y").front();
  row.at(x) = -5;
  row.at(y) = -6;
  BeamSearch search({.beams = 2, .max_new_tokens = 5, .length_penalty = 3.0}, endings);
  const auto next = search.step(row, tokenizer.vocab_size());
  ASSERT_EQ(next.size(), 2u);
  EXPECT_EQ(next[0].token, x);
  EXPECT_EQ(next[1].token, y);
}

}  // namespace
}  // namespace sightline::test
