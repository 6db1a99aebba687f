#include "base/error.h"

#include <array>

#include <gtest/gtest.h>

namespace sightline {
namespace {

std::string nearest(std::string_view name) {
  static const std::array<std::string, 5> names = {"connector", "language", "vision", "lr", "seed"};
  return nearest_name(name, names.data(), names.data() + names.size());
}

TEST(NearestName, FindsMisspelling) {
  EXPECT_EQ(nearest("conector"), "connector");
  EXPECT_EQ(nearest("langauge"), "language");
  EXPECT_EQ(nearest("visoin"), "vision");
  EXPECT_EQ(nearest("rl"), "");  // every letter differs in place: nothing to suggest by
  EXPECT_EQ(nearest("lrr"), "lr");
}

TEST(NearestName, SuggestsNothingFarAway) {
  EXPECT_EQ(nearest("temperature"), "");
  EXPECT_EQ(nearest("x"), "");
  EXPECT_EQ(nearest(""), "");
  EXPECT_EQ(nearest_name("seed", nullptr, nullptr), "");
}

TEST(NearestName, TakesFirstOfEquallyNear) {
  const std::array<std::string, 2> names = {"stage1", "stage2"};
  EXPECT_EQ(nearest_name("stage", names.data(), names.data() + 2), "stage1");
}

TEST(ErrorKinds, MessagesAndTypes) {
  try {
    fail("{}:{}: unknown key", "a.toml", 3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a.toml:3: unknown key");
    EXPECT_EQ(dynamic_cast<const UsageError*>(&error), nullptr);
  }
  EXPECT_THROW(fail_usage("no model"), UsageError);
  EXPECT_THROW(check(false, "no"), Error);
  EXPECT_NO_THROW(check(true, "yes"));
}

TEST(ErrorKinds, AssertionNamesPlaceAndReason) {
  const int rows = 2;
  try {
    SL_ASSERT(rows == 3, "rows is {}", rows);
    FAIL();
  } catch (const AssertionError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("error_test.cpp:"), std::string::npos) << text;
    EXPECT_NE(text.find("rows == 3"), std::string::npos) << text;
    EXPECT_NE(text.find("rows is 2"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace sightline
