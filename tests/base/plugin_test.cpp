#include "base/plugin.h"

#include "base/file.h"
#include "tests/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;

TEST(Plugin, OneThatIsNotThereSaysSo) {
  const Plugin plugin("/nowhere/libnone.so");
  EXPECT_FALSE(plugin.is_loaded());
  EXPECT_EQ(plugin.problem(), "there is no /nowhere/libnone.so");
  EXPECT_EQ(plugin.symbol<int()>("anything"), nullptr);
}

TEST(Plugin, OneThatDoesNotLoadSaysWhy) {
  const test::TemporaryFolder folder;
  write_file(folder.path() / "libbroken.so", "not a library");
  const Plugin plugin(folder.path() / "libbroken.so");
  EXPECT_FALSE(plugin.is_loaded());
  EXPECT_THAT(plugin.problem(), HasSubstr("libbroken.so"));
}

}  // namespace
}  // namespace sightline
