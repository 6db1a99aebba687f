#include "base/log.h"

#include <limits>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(FormatDuration, SecondsMinutesHours) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(0.4), "0s");
  EXPECT_EQ(format_duration(59.4), "59s");
  EXPECT_EQ(format_duration(59.6), "1m00s");
  EXPECT_EQ(format_duration(75), "1m15s");
  EXPECT_EQ(format_duration(3599.7), "1h00m");
  EXPECT_EQ(format_duration(3700), "1h01m");
  EXPECT_EQ(format_duration(100 * 3600), "100h00m");
}

TEST(FormatDuration, UnknownTimeLeft) {
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(format_duration(-1), "0s");
}

TEST(Log, LinesGoToStandardErrorAlone) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  log("step {} of {}", 3, 10);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "step 3 of 10\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace sightline
