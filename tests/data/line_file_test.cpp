#include "data/line_file.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

// More lines than lie between two that are kept, with blank ones and both ends of lines among them.
TEST(LineFile, FindsEachLineAndItsRow) {
  const test::TemporaryFolder folder;
  std::string text = "\xef\xbb\xbf";
  std::vector<std::pair<std::string, int>> expected;
  int row = 0;
  for (int i = 0; i < 300; ++i) {
    ++row;
    expected.emplace_back("line " + std::to_string(i), row);
    text += expected.back().first + (i % 3 == 0 ? "\r\n" : "\n");
    if (i % 7 == 0) {
      text += i % 2 == 0 ? "\n" : " \t\r\n";
      ++row;
    }
  }
  text += "the last without an end";
  expected.emplace_back("the last without an end", row + 1);
  write_file(folder.path() / "lines.txt", text);
  LineFile lines(folder.path() / "lines.txt");
  ASSERT_EQ(lines.size(), expected.size());
  for (size_t i = expected.size(); i-- > 0;) {
    EXPECT_EQ(lines.line(i), expected[i].first);
    EXPECT_TRUE(lines.where(i).ends_with("lines.txt:" + std::to_string(expected[i].second)));
  }
  lines.limit_to(70);
  EXPECT_EQ(lines.size(), 70u);
  EXPECT_EQ(lines.line(69), "line 69");
}

TEST(LineFile, WithoutARecordIsAnError) {
  const test::TemporaryFolder folder;
  write_file(folder.path() / "blank.txt", "\n \n\r\n");
  EXPECT_THROW(LineFile(folder.path() / "blank.txt"), Error);
}

}  // namespace
}  // namespace sightline
