#include "text/tokenizer.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"
#include "tests/text/hard_texts.h"
#include "tests/text/tiny_tokenizer.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::Ids;
using test::tiny_tokenizer;

constexpr EncodeOptions kAsText{SpecialTokens::as_text};

std::vector<std::string> some_texts() {
  auto texts = test::hard_texts();
  for (auto& text : test::random_texts(300, 7)) texts.push_back(std::move(text));
  return texts;
}

TEST(Tokenizer, EveryTextComesBack) {
  const Tokenizer tokenizer = tiny_tokenizer();
  for (const auto& text : some_texts()) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, kAsText)), text);
  }
}

TEST(Tokenizer, SpecialTokensAreParsedOrAreText) {
  const Tokenizer tokenizer = tiny_tokenizer();
  const std::string text = "a cat<|endoftext|>";
  const int32_t end = *tokenizer.eos_id();
  EXPECT_EQ(tokenizer.encode(text).back(), end);
  const Ids as_text = tokenizer.encode(text, kAsText);
  EXPECT_THAT(as_text, testing::Not(testing::Contains(end)));
  EXPECT_EQ(tokenizer.decode(as_text, {DecodeSpecial::skip}), text);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text), {DecodeSpecial::skip}), "a cat");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(Tokenizer, InvalidUtf8IsEncodedAsReplacementCharacters) {
  const Tokenizer tokenizer = tiny_tokenizer();
  EXPECT_EQ(tokenizer.encode("a cat\xFF\xE2\x82 sits"),
            tokenizer.encode("a cat\xEF\xBF\xBD\xEF\xBF\xBD sits"));
}

TEST(Tokenizer, BytesOfHalfACharacterDecodeToAReplacement) {
  const Tokenizer tokenizer = tiny_tokenizer();
  Ids ids = tokenizer.encode("é");
  ASSERT_EQ(ids.size(), 2);
  ids.pop_back();
  EXPECT_EQ(tokenizer.decode(ids), "\xEF\xBF\xBD");
}

TEST(Tokenizer, IdsAndTokens) {
  const Tokenizer tokenizer = tiny_tokenizer();
  EXPECT_EQ(tokenizer.token_id("<|endoftext|>"), 0);
  EXPECT_EQ(tokenizer.bos_id(), 0);
  EXPECT_EQ(tokenizer.eos_id(), 0);
  EXPECT_EQ(tokenizer.pad_id(), std::nullopt);
  EXPECT_EQ(tokenizer.token_id("no such token"), std::nullopt);
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    EXPECT_EQ(tokenizer.token_id(tokenizer.token(id)), id);
  }
  EXPECT_EQ(tokenizer.token(-1), "");
  EXPECT_EQ(tokenizer.token(tokenizer.vocab_size()), "");
  EXPECT_EQ(tokenizer.decode(Ids{-1, tokenizer.vocab_size() + 7}), "");
}

TEST(Tokenizer, SavedAndLoadedIsTheSame) {
  const Tokenizer tokenizer = test::tiny_chat_tokenizer();
  const test::TemporaryFolder folder;
  tokenizer.save(folder.path() / "a");
  const Tokenizer loaded = Tokenizer::load(folder.path() / "a");
  EXPECT_EQ(loaded.vocab_size(), tokenizer.vocab_size());
  EXPECT_EQ(loaded.bos_id(), tokenizer.bos_id());
  EXPECT_EQ(loaded.eos_id(), tokenizer.eos_id());
  for (const auto& text : some_texts()) EXPECT_EQ(loaded.encode(text), tokenizer.encode(text));
  loaded.save(folder.path() / "b");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    EXPECT_EQ(read_file(folder.path() / "a" / name), read_file(folder.path() / "b" / name));
  }
  EXPECT_EQ(Tokenizer::load(folder.path() / "a/tokenizer.json").encode("a cat"),
            tokenizer.encode("a cat"));
}

TEST(Tokenizer, AddedTokensGetTheNextIds) {
  const Tokenizer plain = tiny_tokenizer();
  const std::vector<std::string> names = {"<image>", "<|endoftext|>", "<|x|>", "<image>"};
  const Tokenizer more = plain.with_added_tokens(names);
  EXPECT_EQ(more.vocab_size(), plain.vocab_size() + 2);
  EXPECT_EQ(more.token_id("<image>"), plain.vocab_size());
  EXPECT_EQ(more.token_id("<|x|>"), plain.vocab_size() + 1);
  EXPECT_EQ(more.token_id("<|endoftext|>"), 0);
  EXPECT_TRUE(more.is_special(plain.vocab_size()));
  EXPECT_EQ(more.encode("a<image>"), (Ids{plain.encode("a").front(), plain.vocab_size()}));
  EXPECT_EQ(more.encode("a<image>", kAsText), plain.encode("a<image>"));
}

TEST(Tokenizer, AnOrdinaryWordCannotBeAdded) {
  const std::vector<std::string> names = {"the"};
  try {
    tiny_tokenizer().with_added_tokens(names);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("cannot add \"the\""));
  }
}

TEST(Tokenizer, ManyThreadsEncodeAlike) {
  const Tokenizer tokenizer = tiny_tokenizer();
  const auto texts = some_texts();
  std::vector<Ids> expected;
  for (const auto& text : texts) expected.push_back(tokenizer.encode(text));
  std::vector<int> wrong(4);
  std::vector<std::jthread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < texts.size(); ++i) count += tokenizer.encode(texts[i]) != expected[i];
    });
  }
  threads.clear();
  EXPECT_THAT(wrong, testing::Each(0));
}

}  // namespace
}  // namespace sightline
