#include "text/utf8.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

const std::string kBad = "\xEF\xBF\xBD";  // U+FFFD

TEST(Utf8, EveryCodePointSurvives) {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, value);
    const CodePoint point = code_point_at(text, 0);
    ASSERT_TRUE(point.valid && point.value == value && point.length == text.size())
        << static_cast<uint32_t>(value);
  }
}

// The examples of the Unicode standard, section 3.9, tables 3-8 to 3-11, and truncated ends.
TEST(Utf8, EachMaximalInvalidPartBecomesOneReplacement) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
       kBad + kBad + kBad + kBad + kBad + kBad + kBad + kBad + "A"},
      {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
       kBad + kBad + kBad + kBad + kBad + kBad + kBad + kBad + "A"},
      {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42",
       kBad + kBad + kBad + kBad + kBad + "A" + kBad + kBad + "B"},
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", kBad + kBad + kBad + kBad + "A"},
      {"long enough ascii \xE2\x82", "long enough ascii " + kBad},
      {"\xF0\x9F\x98", kBad},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_FALSE(is_valid_utf8(text));
    EXPECT_EQ(to_valid_utf8(text), expected);
    EXPECT_TRUE(is_valid_utf8(expected));
  }
}

TEST(Utf8, ValidTextIsUntouched) {
  for (const std::string text :
       {"", "plain ascii, more than eight bytes", "é 日本 👍🏽 é"}) {
    EXPECT_TRUE(is_valid_utf8(text));
    EXPECT_EQ(to_valid_utf8(text), text);
  }
}

}  // namespace
}  // namespace sightline
