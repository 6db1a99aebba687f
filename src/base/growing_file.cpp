#include "base/growing_file.h"

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

// So that a rename outlives a power cut.
void sync_folder_of(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const int number = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) fail("{}: cannot open to sync: {}", folder.string(), reason());
  const bool synced = ::fsync(number) == 0;
  const std::string why = reason();
  ::close(number);
  check(synced, "{}: cannot sync: {}", folder.string(), why);
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
  if (::rename(partial_.c_str(), path_.c_str()) != 0) {
    fail("{}: cannot put in place: {}", path_.string(), reason());
  }
  sync_folder_of(path_);
}

}  // namespace sightline
