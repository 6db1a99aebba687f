#include "base/growing_file.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using testing::HasSubstr;

TEST(GrowingFile, HasItsNameWhenItIsWhole) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lines";
  GrowingFile file(path, 0);
  file.append("one\n");
  file.append("two\n");
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(read_file(GrowingFile::partial_of(path)), "one\ntwo\n");
  file.commit();
  EXPECT_EQ(read_file(path), "one\ntwo\n");
  EXPECT_FALSE(fs::exists(GrowingFile::partial_of(path)));
}

TEST(GrowingFile, GoesOnBehindWhatIsKept) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lines";
  GrowingFile(path, 0).append("one\ntwo, tor");
  {
    GrowingFile file(path, 4);
    file.append("two\n");
  }
  EXPECT_EQ(read_file(GrowingFile::partial_of(path)), "one\ntwo\n");
  GrowingFile anew(path, 0);
  EXPECT_EQ(read_file(GrowingFile::partial_of(path)), "");
}

TEST(GrowingFile, HasOneWriter) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lines";
  GrowingFile file(path, 0);
  file.append("one\n");
  try {
    GrowingFile other(path, 0);
    ADD_FAILURE() << "a second writer";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("lines.partial: another process is writing it"));
  }
  EXPECT_EQ(read_file(GrowingFile::partial_of(path)), "one\n");
}

TEST(GrowingFile, ErrorsNameTheFile) {
  const TemporaryFolder folder;
  try {
    GrowingFile file(folder.path() / "none" / "lines", 0);
    ADD_FAILURE() << "no such folder";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("none/lines.partial: cannot create: No such file"));
  }
}

}  // namespace
}  // namespace sightline
