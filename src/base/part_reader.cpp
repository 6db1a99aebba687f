#include "base/part_reader.h"

#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace sightline {

namespace {

std::string reason() { return std::strerror(errno); }

}  // namespace

PartReader::PartReader(const std::filesystem::path& path)
    : path_(path.string()), number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (number_ < 0) fail("{}: cannot open: {}", path_, reason());
}

PartReader::~PartReader() { ::close(number_); }

void PartReader::read(size_t begin, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t count = ::pread(number_, to.data(), to.size(), static_cast<off_t>(begin));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot read: {}", path_, reason());
    check(count > 0, "{}: ends {} bytes too early; was it changed meanwhile?", path_, to.size());
    begin += static_cast<size_t>(count);
    to = to.subspan(static_cast<size_t>(count));
  }
}

}  // namespace sightline
