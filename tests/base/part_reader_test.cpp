#include "base/part_reader.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

std::string part(const PartReader& file, size_t begin, size_t size) {
  std::string to(size, '?');
  file.read(begin, std::as_writable_bytes(std::span(to)));
  return to;
}

TEST(PartReader, ReadsAnyPartOfTheFileThatItOpened) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a";
  write_file(path, "abcdef");
  const PartReader file(path);
  write_file(path, "other");  // another file under the same name
  EXPECT_EQ(part(file, 0, 6), "abcdef");
  EXPECT_EQ(part(file, 2, 3), "cde");
  EXPECT_EQ(part(file, 6, 0), "");
}

TEST(PartReader, AnEndTooEarlyIsAnErrorThatNamesTheFile) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a";
  write_file(path, "abc");
  const PartReader file(path);
  try {
    part(file, 1, 3);
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith(path.string()));
    EXPECT_THAT(error.what(), testing::HasSubstr("1 bytes too early"));
  }
}

TEST(PartReader, AMissingFileIsAnErrorThatNamesIt) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a";
  EXPECT_THROW(PartReader reader(path), Error);
}

}  // namespace
}  // namespace sightline
