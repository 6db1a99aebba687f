#include "base/hash.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

// XXH3's published value of no bytes, and a value of the xxhash package: a feature store's keys
// stay valid.
TEST(ContentKey, KnownValues) {
  EXPECT_EQ(content_key(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(content_key("sightline"), "7082bc9c8392b6d244e11e4b40383a67");
}

TEST(ContentKey, EveryByteCounts) {
  const std::string text(1000, 'a');
  for (size_t i = 0; i < text.size(); i += 37) {
    std::string other = text;
    other[i] = 'b';
    EXPECT_NE(content_key(other), content_key(text));
  }
  EXPECT_NE(content_key(std::string(1, '\0')), content_key(std::string(2, '\0')));
}

}  // namespace
}  // namespace sightline
