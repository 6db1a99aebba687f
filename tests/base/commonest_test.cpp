#include "base/commonest.h"

#include "base/error.h"

#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Commonest, OfEqualsTheFirst) {
  const std::vector<std::string> texts = {"a", "b", "c", "c", "b"};
  EXPECT_EQ(commonest(texts), "b");
  EXPECT_THROW(commonest({}), AssertionError);
}

}  // namespace
}  // namespace sightline
