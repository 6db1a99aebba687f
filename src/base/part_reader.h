#pragma once
// Parts of a file read into memory of the caller's, by several threads at once if they like. Of
// bytes that are wanted once this is cheaper than copying them out of mapped pages.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace sightline {

class PartReader {
 public:
  explicit PartReader(const std::filesystem::path& path);
  ~PartReader();
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;

  // Fills `to` with the bytes from `begin`. An Error where the file ends before, or cannot be read.
  void read(size_t begin, std::span<std::byte> to) const;

 private:
  std::string path_;
  int number_ = -1;  // the open file's
};

}  // namespace sightline
