#include "metric/answer.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Answer, Normalization) {
  EXPECT_EQ(normalize_answer("  Two   Red\tcircles. "), "two red circles");
  EXPECT_EQ(normalize_answer("yes ."), "yes");
  EXPECT_EQ(normalize_answer("..."), "..");
  EXPECT_EQ(normalize_answer("\xc3\x89T\xc3\x89"), "\xc3\xa9t\xc3\xa9");
  EXPECT_EQ(normalize_answer(""), "");
}

TEST(Answer, ExactMatch) {
  EXPECT_TRUE(exact_match("Yes.", "yes"));
  EXPECT_TRUE(exact_match("", " . "));
  EXPECT_FALSE(exact_match("", "yes"));
  EXPECT_FALSE(exact_match("the red circle", "red circle"));
  EXPECT_FALSE(exact_match("2", "two"));
}

}  // namespace
}  // namespace sightline
