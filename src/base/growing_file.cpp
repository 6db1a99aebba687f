#include "base/growing_file.h"

#include "base/durable_rename.h"
#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::string reason() { return std::strerror(errno); }

// A file system that knows no locks is taken as it is.
bool is_anothers(int number) {
  return ::flock(number, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

fs::path GrowingFile::partial_of(const fs::path& path) { return path.string() + ".partial"; }

GrowingFile::GrowingFile(fs::path path, uint64_t kept)
    : path_(std::move(path)),
      partial_(partial_of(path_)),
      number_(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {
  if (number_ < 0) fail("{}: cannot create: {}", partial_.string(), reason());
  if (is_anothers(number_)) {
    ::close(number_);
    fail("{}: another process is writing it", partial_.string());
  }
  const auto end = static_cast<off_t>(kept);
  if (::ftruncate(number_, end) != 0 || ::lseek(number_, end, SEEK_SET) != end) {
    const std::string why = reason();
    ::close(number_);
    fail("{}: cannot go on at byte {}: {}", partial_.string(), kept, why);
  }
}

GrowingFile::~GrowingFile() { ::close(number_); }

void GrowingFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(number_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot write: {}", partial_.string(), reason());
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  sync();
}

void GrowingFile::sync() const {
  if (::fdatasync(number_) != 0) fail("{}: cannot sync: {}", partial_.string(), reason());
}

void GrowingFile::commit() {
  sync();
  rename_durably(partial_, path_);
}

}  // namespace sightline
