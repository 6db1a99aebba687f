#include "report/table.h"

#include <numeric>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Table, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Table, AlignsColumns) {
  EXPECT_EQ(table_text({{"part", "count", ""}, {"a", "7", "x"}}, "# "),
            "# part  count\n# a         7  x\n");
}

TEST(Table, BinsHoldEveryValueOnce) {
  EXPECT_TRUE(bins_of({}, 4).empty());
  ASSERT_EQ(bins_of({5, 5, 5}, 4).size(), 1u);
  const std::vector<int64_t> values = {3, 4, 9, 9, 12, 40, 41};
  for (int64_t most = 1; most <= 50; ++most) {
    const std::vector<Bin> bins = bins_of(values, most);
    EXPECT_LE(static_cast<int64_t>(bins.size()), most);
    EXPECT_EQ(bins.front().first, 3);
    EXPECT_GE(bins.back().last, 41);
    int64_t sum = 0;
    for (const Bin& bin : bins) {
      sum += bin.count;
      int64_t inside = 0;
      for (const int64_t value : values) inside += bin.first <= value && value <= bin.last;
      EXPECT_EQ(bin.count, inside);
    }
    EXPECT_EQ(sum, 7);
  }
}

TEST(Table, DrawsBars) {
  EXPECT_EQ(histogram_text({{1, 1, 40}, {2, 3, 1}}),
            "    1  ########################################  40 (97.6 %)\n"
            "  2-3  #                                         1 (2.4 %)\n");
}

}  // namespace
}  // namespace sightline
