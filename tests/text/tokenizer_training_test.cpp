#include "text/tokenizer_training.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"
#include "tests/text/tiny_tokenizer.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

std::string error_of(const TokenizerTraining& options) {
  try {
    train_tokenizer(test::tiny_corpus(), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Sennrich et al. 2016, algorithm 1: low 5, lower 2, newest 6, widest 3. GPT-2's words have no end
// sign, so the merges are: e s (9), es t (9), then l o (7) and lo w (7), then those of 6.
TEST(TokenizerTraining, MergesOfThePapersExample) {
  std::vector<std::string> lines;
  const auto add = [&](const char* word, int times) { lines.insert(lines.end(), times, word); };
  add("low", 5);
  add("lower", 2);
  add("newest", 6);
  add("widest", 3);
  const Tokenizer tokenizer = train_tokenizer(lines, {.vocab_size = 257 + 4});
  std::vector<std::string> learned;
  for (int32_t id = 257; id < tokenizer.vocab_size(); ++id) {
    learned.emplace_back(tokenizer.token(id));
  }
  EXPECT_THAT(learned, testing::ElementsAre("es", "est", "lo", "low"));
  EXPECT_EQ(tokenizer.token(1), "!");  // bytes follow the special token, by character
}

TEST(TokenizerTraining, SameTextSameFile) {
  const test::TemporaryFolder folder;
  test::tiny_tokenizer().save(folder.path() / "a");
  auto lines = test::tiny_corpus();
  std::reverse(lines.begin(), lines.end());  // nor does the order of lines matter
  train_tokenizer(lines, {.vocab_size = 350}).save(folder.path() / "b");
  EXPECT_EQ(read_file(folder.path() / "a/tokenizer.json"),
            read_file(folder.path() / "b/tokenizer.json"));
}

TEST(TokenizerTraining, StopsWherePairsAreTooRare) {
  const std::vector<std::string> lines = {"ab ab ab", "cd"};
  const Tokenizer two = train_tokenizer(lines, {.vocab_size = 1000, .min_frequency = 2});
  EXPECT_EQ(two.vocab_size(), 257 + 2);  // "ab" and " ab", which stands twice
  const Tokenizer one = train_tokenizer(lines, {.vocab_size = 1000, .min_frequency = 1});
  EXPECT_EQ(one.vocab_size(), 257 + 3);
  EXPECT_EQ(train_tokenizer(std::vector<std::string>{}, {}).vocab_size(), 257);
}

TEST(TokenizerTraining, InvalidUtf8IsCountedAsReplacements) {
  const std::vector<std::string> bad(3, "\xFF\xFF"), good(3, "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(train_tokenizer(bad, {}).vocab_size(), train_tokenizer(good, {}).vocab_size());
}

TEST(TokenizerTraining, BadOptions) {
  EXPECT_THAT(error_of({.vocab_size = 256}), testing::HasSubstr("ask for 257 or more"));
  EXPECT_THAT(error_of({.special_tokens = {"<s>", "<s>"}, .bos_token = "", .eos_token = ""}),
              testing::HasSubstr("named twice"));
  EXPECT_THAT(error_of({.special_tokens = {"<s>"}}), testing::HasSubstr("not among"));
  EXPECT_THAT(
      error_of({.vocab_size = 350, .special_tokens = {"the"}, .bos_token = "", .eos_token = "the"}),
      testing::HasSubstr("also what ordinary text gives"));
}

}  // namespace
}  // namespace sightline
