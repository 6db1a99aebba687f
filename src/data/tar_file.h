#pragma once
// The files in a tar archive, found by walking its headers: POSIX ustar, pax and GNU's long names.
// Nothing is unpacked; what is no regular file is passed over.

#include "base/file.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace sightline {

struct TarMember {
  std::string name;
  uint64_t begin = 0, size = 0;  // its bytes in the archive
};

// Safe to call from several threads.
class TarFile {
 public:
  explicit TarFile(const std::filesystem::path& path) : path_(path.string()), file_(path) {}

  // The first file at or behind `place`, where a header begins (0, or where a call before this left
  // it); `place` moves behind it. None at the archive's end. What is no header is an Error that
  // names the archive and the place, as is a file that the archive's end cuts short.
  std::optional<TarMember> next(uint64_t& place) const;

  std::string read(const TarMember& member) const { return file_.read(member.begin, member.size); }

 private:
  struct Header;
  Header header_at(uint64_t place) const;

  std::string path_;
  FileReader file_;
};

}  // namespace sightline
