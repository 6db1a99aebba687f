// Archives that the system's own tar writes, in each of its forms.

#include "data/tar_file.h"

#include "tests/data/support.h"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::message_of;
using testing::HasSubstr;

class TarFiles : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  std::filesystem::path files = temporary.path() / "files";
  std::filesystem::path archive = temporary.path() / "a.tar";

  void pack(const std::string& format, const std::string& names = "*") {
    const auto result =
        test::run_command(fmt::format("cd {} && tar --format={} --sort=name -cf {} {}",
                                      files.string(), format, archive.string(), names));
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }

  std::map<std::string, std::string> found() const {
    const TarFile tar(archive);
    std::map<std::string, std::string> all;
    uint64_t place = 0;
    while (const auto member = tar.next(place)) {
      EXPECT_TRUE(all.emplace(member->name, tar.read(*member)).second) << member->name;
    }
    return all;
  }
};

TEST_F(TarFiles, AreFoundInEveryForm) {
  std::map<std::string, std::string> short_names = {
      {"a.txt", "words"},
      {"empty.txt", ""},
      {"folder/b.jpg", std::string(512, 'x')},
      {"folder/c.jpg", std::string(1000, '\0') + "y"}};
  std::map<std::string, std::string> long_names = short_names;
  const std::string deep = std::string(90, 'd') + "/" + std::string(120, 'e');
  short_names.emplace(deep.substr(0, 180), "in ustar's prefix");
  long_names.emplace(deep + "/" + std::string(200, 'f') + ".txt", "beyond what ustar holds");
  long_names.emplace("bär.txt", "not in ASCII");
  const std::map<std::string, std::map<std::string, std::string>> by_format = {
      {"ustar", short_names}, {"pax", long_names}, {"gnu", long_names}};
  for (const auto& [format, expected] : by_format) {
    SCOPED_TRACE(format);
    std::filesystem::remove_all(files);
    for (const auto& [name, bytes] : expected) test::write_text(files / name, bytes);
    std::filesystem::create_symlink("a.txt", files / "link.txt");
    std::filesystem::create_directories(files / "nothing in it");
    pack(format);
    EXPECT_EQ(found(), expected);
  }
}

TEST_F(TarFiles, WhatIsNoArchiveIsToldWithItsPlace) {
  test::write_text(files / "a.txt", std::string(3000, 'a'));
  test::write_text(files / "b.txt", std::string(3000, 'b'));
  pack("ustar");
  const std::string whole = read_file(archive);
  const auto error_with = [&](const std::string& bytes) {
    write_file(archive, bytes);
    return message_of([&] { found(); });
  };
  EXPECT_THAT(error_with("no archive"), HasSubstr("a.tar: is not a tar archive"));
  EXPECT_THAT(error_with("\x1f\x8b packed"), HasSubstr("gunzip"));
  EXPECT_THAT(error_with(whole.substr(0, 2000)), HasSubstr("ends within a.txt"));
  EXPECT_THAT(error_with(whole.substr(0, 3800)), HasSubstr("no header at byte 3584"));
  std::string changed = whole;
  changed[3584 + 10] ^= 1;  // of b.txt's name
  EXPECT_THAT(error_with(changed), HasSubstr("no header at byte 3584"));
  EXPECT_EQ(error_with(""), test::kNoError);  // no file in it
}

}  // namespace
}  // namespace sightline
