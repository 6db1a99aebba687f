#pragma once
// A file that is written for hours by a process that may be killed at any instant. It grows under
// the name `path`.partial and gets its own by commit(): a file of that name is whole. What a killed
// writer left stays, for the next one to go on behind. Every failure is an Error that names the
// file and the reason.

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace sightline {

class GrowingFile {
 public:
  // Keeps the first `kept` bytes of what an earlier writer left, and no more; 0: begins anew. While
  // another process writes it, it is an Error.
  GrowingFile(std::filesystem::path path, uint64_t kept);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  // Where the file of that name grows.
  static std::filesystem::path partial_of(const std::filesystem::path& path);

  // Returns when the bytes are on the disk.
  void append(std::string_view bytes);
  void commit();

 private:
  void sync() const;

  std::filesystem::path path_;
  std::filesystem::path partial_;
  int number_ = -1;  // the open file's
};

}  // namespace sightline
