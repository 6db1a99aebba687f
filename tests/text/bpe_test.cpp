#include "text/bpe.h"

#include "base/rng.h"
#include "tests/text/tiny_tokenizer.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::Ids;

// Tokens of a, b and c up to some length; merges drawn at random.
BpeModel random_model(uint64_t seed) {
  Rng rng(seed);
  BpeModel model;
  for (const char* letter : {"a", "b", "c"}) {
    model.vocabulary.push_back({letter, static_cast<int32_t>(model.vocabulary.size())});
  }
  while (model.merges.size() < 60) {
    const auto left = static_cast<int32_t>(rng.below(model.vocabulary.size()));
    const auto right = static_cast<int32_t>(rng.below(model.vocabulary.size()));
    const std::string token = model.vocabulary[left].token + model.vocabulary[right].token;
    int32_t id = -1;
    for (const auto& entry : model.vocabulary) {
      if (entry.token == token) id = entry.id;
    }
    if (id < 0) {
      id = static_cast<int32_t>(model.vocabulary.size());
      model.vocabulary.push_back({token, id});
    }
    model.merges.push_back({left, right, id});
  }
  return model;
}

TEST(Bpe, SearchAndHeapMergeAlike) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Bpe bpe(random_model(seed), BpeSymbols::characters, {});
    Rng rng(seed + 1000);
    for (int text = 0; text < 50; ++text) {
      Ids symbols(rng.below(120));
      for (auto& id : symbols) id = static_cast<int32_t>(rng.below(3));
      BpeScratch search, heap;
      search.ids = heap.ids = symbols;
      bpe.merge_by_search(search);
      bpe.merge_by_heap(heap);
      ASSERT_EQ(search.ids, heap.ids) << "seed " << seed;
    }
  }
}

TEST(Bpe, LowestRankFirstThenLeftmost) {
  BpeModel model;
  model.vocabulary = {{"a", 0}, {"b", 1}, {"ab", 2}, {"aa", 3}, {"aab", 4}};
  model.merges = {{0, 0, 3}, {0, 1, 2}, {0, 2, 4}};
  const Bpe bpe(model, BpeSymbols::characters, {});
  BpeScratch scratch;
  Ids ids;
  bpe.encode_word("aaab", ids, scratch);
  EXPECT_EQ(ids, (Ids{3, 2}));  // aa ab: not a aab
  ids.clear();
  bpe.encode_word("aab", ids, scratch);
  EXPECT_EQ(ids, (Ids{3, 1}));  // in the vocabulary, and yet out of reach
}

TEST(Bpe, UnknownCharacters) {
  BpeModel model;
  model.vocabulary = {{"<unk>", 0}, {"a", 1}};
  const auto encoded = [&] {
    BpeScratch scratch;
    Ids ids;
    Bpe(model, BpeSymbols::characters, {}).encode_word("aé日a", ids, scratch);
    return ids;
  };
  EXPECT_EQ(encoded(), (Ids{1, 1}));  // as Hugging Face: no unknown token, no trace
  model.unknown = 0;
  EXPECT_EQ(encoded(), (Ids{1, 0, 0, 1}));
  model.fuse_unknown = true;
  EXPECT_EQ(encoded(), (Ids{1, 0, 1}));
  model.byte_fallback = true;
  model.vocabulary.push_back({"<0xC3>", 2});
  model.vocabulary.push_back({"<0xA9>", 3});
  EXPECT_EQ(encoded(), (Ids{1, 2, 3, 0, 1}));
}

// A word of a megabyte takes well under a second; a quadratic merge would take hours.
TEST(Bpe, LongWordsAreNotQuadratic) {
  const Tokenizer tokenizer = test::tiny_tokenizer();
  std::string word;
  while (word.size() < 1000000) word += "catsitsonthemat";
  const auto ids = tokenizer.encode(word);
  EXPECT_LT(ids.size(), word.size() / 2);
  EXPECT_EQ(tokenizer.decode(ids), word);
}

}  // namespace
}  // namespace sightline
