#include "base/file.h"

#include "base/error.h"
#include "tests/message_of.h"
#include "tests/support.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

using test::message_of;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

// While this lives no file of this process grows past `bytes`: write() fails as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(File, WritesReadsAndReplaces) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.bin";
  const std::string bytes("one\0two\n", 8);
  write_file(path, bytes);
  EXPECT_EQ(read_file(path), bytes);
  write_file(path, "");
  EXPECT_EQ(read_file(path), "");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("a.bin"));
}

TEST(File, ReadsWhatTellsNoSize) {
  const TemporaryFolder folder;
  EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("Pid:"));
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::string large(100000, 'x');
  std::thread writer([&] { std::ofstream(pipe) << large; });
  EXPECT_EQ(read_file(pipe), large);
  writer.join();
}

TEST(File, ErrorsNamePathAndReason) {
  const TemporaryFolder folder;
  const fs::path absent = folder.path() / "no" / "file";
  const auto names_absent = AllOf(HasSubstr(absent.string()), HasSubstr("No such file"));
  EXPECT_THAT(message_of([&] { read_file(absent); }), names_absent);
  EXPECT_THAT(message_of([&] { MappedFile file(absent); }), names_absent);
  EXPECT_THAT(message_of([&] { write_file(absent, "x"); }), names_absent);
  EXPECT_THAT(message_of([&] { read_file(folder.path()); }),
              AllOf(HasSubstr(folder.path().string()), HasSubstr("is a folder")));
}

TEST(File, NothingStaysWhereAFolderIsInTheWay) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "a");
  EXPECT_THAT(message_of([&] { write_file(folder.path() / "a", "x"); }),
              AllOf(HasSubstr("cannot put in place"), HasSubstr("Is a directory")));
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("a"));
}

TEST(File, FullDiskLeavesTheOldFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "weights";
  write_file(path, "old");
  std::string message;
  {
    const FullDisk disk(4096);
    message = message_of([&] { write_file(path, std::string(100000, 'n')); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr(path.string()), HasSubstr("cannot write: File too large")));
  EXPECT_EQ(read_file(path), "old");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("weights"));
}

TEST(FileWriter, PutsPiecesInPlaceAtOnce) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "weights";
  write_file(path, "old");
  {
    FileWriter writer(path);
    writer.append("one ");
    EXPECT_EQ(read_file(path), "old");
    writer.append("two");
    writer.commit();
  }
  EXPECT_EQ(read_file(path), "one two");
  {
    FileWriter given_up(path);
    given_up.append("half");
  }
  EXPECT_EQ(read_file(path), "one two");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("weights"));
}

TEST(File, MapsBytes) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  write_file(path, "abc");
  const MappedFile file(path);
  ASSERT_EQ(file.bytes().size(), 3u);
  EXPECT_EQ(file.bytes()[2], std::byte{'c'});
  write_file(path, "");
  EXPECT_TRUE(MappedFile(path).bytes().empty());
  EXPECT_EQ(file.bytes()[0], std::byte{'a'});  // the replaced file's pages stay
}

TEST(FolderWriter, CommitsAndReplaces) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "runs" / "model";
  {
    FolderWriter writer(path);
    fs::create_directory(writer.staging() / "sub");
    write_file(writer.staging() / "sub" / "a", "1");
    EXPECT_FALSE(fs::exists(path));
    writer.commit();
  }
  EXPECT_EQ(read_file(path / "sub" / "a"), "1");
  {
    FolderWriter writer(path);
    write_file(writer.staging() / "b", "2");
    EXPECT_EQ(read_file(path / "sub" / "a"), "1");  // the old one until commit()
    writer.commit();
  }
  EXPECT_THAT(names_in(path), UnorderedElementsAre("b"));
  EXPECT_THAT(names_in(path.parent_path()), UnorderedElementsAre("model"));
}

TEST(FolderWriter, WithoutCommitNothingStays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "model";
  {
    FolderWriter writer(path);
    write_file(writer.staging() / "a", "1");
  }
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre());
}

TEST(FolderWriter, TrailingSlashIsTheSameFolder) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "model");
  FolderWriter writer(folder.path() / "model/");
  write_file(writer.staging() / "a", "1");
  writer.commit();
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("model"));
  EXPECT_EQ(read_file(folder.path() / "model" / "a"), "1");
}

TEST(FolderWriter, WhatAKilledOneLeftIsNotTakenOver) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "model.partial");
  std::ofstream(folder.path() / "model.partial" / "torn") << "x";
  FolderWriter writer(folder.path() / "model");
  write_file(writer.staging() / "a", "1");
  writer.commit();
  EXPECT_THAT(names_in(folder.path() / "model"), UnorderedElementsAre("a"));
}

TEST(FolderWriter, RefusesToReplaceAFile) {
  const TemporaryFolder folder;
  write_file(folder.path() / "model", "a file");
  EXPECT_THAT(message_of([&] { FolderWriter writer(folder.path() / "model"); }),
              HasSubstr("is a file"));
  EXPECT_EQ(read_file(folder.path() / "model"), "a file");
  EXPECT_THAT(message_of([&] { FolderWriter writer(folder.path() / "model" / "x"); }),
              HasSubstr("cannot create the folder"));
}

TEST(FolderWriter, FullDiskLeavesTheOldFolder) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "model";
  fs::create_directory(path);
  write_file(path / "a", "old");
  const std::string message = message_of([&] {
    const FullDisk disk(4096);
    FolderWriter writer(path);
    write_file(writer.staging() / "config", "small enough");
    write_file(writer.staging() / "a", std::string(100000, 'n'));
    writer.commit();
  });
  EXPECT_THAT(message, HasSubstr("cannot write: File too large"));
  EXPECT_EQ(read_file(path / "a"), "old");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("model"));
}

TEST(ExpandEnvironment, ReplacesNames) {
  setenv("SIGHTLINE_TEST_A", "/data", 1);
  setenv("SIGHTLINE_TEST_B", "", 1);
  EXPECT_EQ(expand_environment("${SIGHTLINE_TEST_A}/x${SIGHTLINE_TEST_B}y"), "/data/xy");
  EXPECT_EQ(expand_environment("plain $HOME {x} }"), "plain $HOME {x} }");
  EXPECT_EQ(expand_environment(""), "");
  setenv("SIGHTLINE_TEST_A", "${SIGHTLINE_TEST_B}", 1);
  EXPECT_EQ(expand_environment("${SIGHTLINE_TEST_A}"), "${SIGHTLINE_TEST_B}");  // once, not again
}

TEST(ExpandEnvironment, MistakesAreTheUsers) {
  unsetenv("SIGHTLINE_TEST_C");
  EXPECT_THROW(expand_environment("${SIGHTLINE_TEST_C}"), UsageError);
  EXPECT_THAT(message_of([] { expand_environment("a/${SIGHTLINE_TEST_C}/b"); }),
              HasSubstr("SIGHTLINE_TEST_C is not set"));
  EXPECT_THAT(message_of([] { expand_environment("a/${HOME/b"); }), HasSubstr("${HOME/b"));
}

}  // namespace
}  // namespace sightline
