#pragma once
// Files read whole or mapped, and files and folders written aside and renamed, so that a reader
// never meets a half-written one. Every failure is an Error that names the path and the reason.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace sightline {

std::string read_file(const std::filesystem::path& path);

// A file read in pieces. Safe to call from several threads.
class FileReader {
 public:
  explicit FileReader(std::filesystem::path path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  uint64_t size() const { return size_; }
  // `size` bytes from `begin` on; a file that ends before is an Error.
  std::string read(uint64_t begin, uint64_t size) const;

 private:
  std::filesystem::path path_;
  int number_ = -1;  // the open file's
  uint64_t size_ = 0;
};

// Writes to a temporary name beside `path`, syncs, renames. The old file stays until then.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// The same in pieces, for what is too large to stand in memory twice. Without commit() the
// destructor removes what was written.
class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void append(std::string_view bytes);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path aside_;
  int number_ = -1;  // the open file's
};

// A folder built aside and put in place by commit(): `path` is never seen half-written. Without
// commit() the destructor removes what was written. An existing folder at `path` is replaced.
class FolderWriter {
 public:
  explicit FolderWriter(std::filesystem::path path);
  ~FolderWriter();
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;

  // Where to write the folder's files until commit().
  const std::filesystem::path& staging() const { return staging_; }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path staging_;
  bool committed_ = false;
};

// A file mapped read-only. The pages stay valid while this lives.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Replaces ${NAME} by the environment's value. An unset name is a UsageError that says so, as is a
// "${" that no "}" closes.
std::string expand_environment(std::string_view text);

}  // namespace sightline
