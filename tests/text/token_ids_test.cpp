#include "text/token_ids.h"

#include "base/rng.h"

#include <deque>
#include <string>
#include <unordered_map>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// Short random texts, many of them twice; bytes of every kind, zeros too.
TEST(TokenIds, AreWhatAMapHolds) {
  Rng rng(2);
  std::deque<std::string> texts;
  for (int i = 0; i < 5000; ++i) {
    std::string& text = texts.emplace_back();
    const uint64_t size = 1 + rng.below(3);
    for (uint64_t k = 0; k < size; ++k) text += static_cast<char>(rng.below(40));
  }
  std::unordered_map<std::string, int32_t> expected;
  TokenIds ids(texts.size() / 2);
  for (int32_t i = 0; i < 2500; ++i) {
    const std::string& text = texts[static_cast<size_t>(i)];
    EXPECT_EQ(ids.add(text, i), expected.emplace(text, i).second);
  }
  for (const std::string& text : texts) {
    const auto known = expected.find(text);
    EXPECT_EQ(ids.find(text),
              known == expected.end() ? std::nullopt : std::optional(known->second));
  }
}

TEST(TokenIds, OfNothing) {
  EXPECT_EQ(TokenIds().find("a"), std::nullopt);
  EXPECT_EQ(TokenIds(0).find(""), std::nullopt);
}

}  // namespace
}  // namespace sightline
