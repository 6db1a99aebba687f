// Event files: their bytes by hand, and read back by TensorBoard.

#include "report/event_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string result;
  for (const int value : values) result += static_cast<char>(value);
  return result;
}

// The record of an event file's beginning, as TensorFlow 1 and 2 and PyTorch write it but for its
// time, which is 0 here: its checksums are theirs.
TEST(EventFile, FramesRecordsAsTensorFlow) {
  const std::string record = framed_record("");
  EXPECT_EQ(record, bytes({0, 0, 0, 0, 0, 0, 0, 0, 0x29, 0x03, 0x98, 0x07,  // of eight zero bytes
                           0xd8, 0xea, 0x82, 0xa2}));                       // of no bytes
  const std::string nine = framed_record("123456789");
  EXPECT_EQ(nine.size(), 8u + 4 + 9 + 4);
  // 0xe3069283 turned right by 15 bits, and 0xa282ead8 added.
  EXPECT_EQ(nine.substr(21), bytes({0xe5, 0xb0, 0x8a, 0xc7}));
}

TEST(EventFile, ABrokenPlaceIsAnError) {
  const test::TemporaryFolder folder;
  try {
    EventFile(folder.path() / "none" / "events.out.tfevents.1");
    FAIL() << "no folder is there";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("none/events.out.tfevents.1"));
  }
}

TEST(OracleEventFile, TensorBoardReadsTwoSessions) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const test::TemporaryFolder folder;
  {
    EventFile first(folder.path() / "events.out.tfevents.0000000001.a");
    for (int64_t step = 1; step <= 300; ++step) {
      first.add(1e9 + static_cast<double>(step), step,
                std::vector<Scalar>{{"loss", 1.0 / static_cast<double>(step)}, {"a/ü <&>", -1e30}});
    }
  }
  // Killed within a record.
  const std::string path = folder.path() / "events.out.tfevents.0000000001.a";
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 5));
  {
    EventFile second(folder.path() / "events.out.tfevents.0000000002.a");
    second.begin_session(2e9, 201);
    second.add(2e9 + 1, 201, std::vector<Scalar>{{"loss", 7.0}});
  }
  const test::CommandResult result = test::run_oracle("events", folder.path().string());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const Json seen = read_json(folder.path() / "seen.json");
  const Json& losses = seen.at("loss");
  ASSERT_EQ(losses.size(), 201u);
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(losses[i][0].get<int64_t>(), static_cast<int64_t>(i) + 1);
    EXPECT_FLOAT_EQ(losses[i][1].get<float>(), 1.0F / static_cast<float>(i + 1));
  }
  EXPECT_EQ(losses[200], Json({201, 7.0}));
  EXPECT_EQ(seen.at("a/ü <&>").size(), 200u);
}

}  // namespace
}  // namespace sightline
