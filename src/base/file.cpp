#include "base/file.h"

#include "base/durable_rename.h"
#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

// Never as an argument beside the call that sets errno: the order of arguments is not defined.
std::string reason() { return std::strerror(errno); }

void rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    fail("{}: cannot put in place: {}", to.string(), reason());
  }
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0644)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool good() const { return number_ >= 0; }
  struct stat status(const fs::path& path) const {
    struct stat info {};
    if (::fstat(number_, &info) != 0) fail("{}: {}", path.string(), reason());
    return info;
  }

 private:
  int number_;
};

void sync_path(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  check(file.good(), "{}: cannot open to sync: {}", path.string(), reason());
  if (::fsync(file.number()) != 0) fail("{}: cannot sync: {}", path.string(), reason());
}

fs::path parent_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// "run/model/" means "run/model": what is written aside must lie beside it, not inside.
fs::path without_trailing_slash(fs::path path) {
  path = path.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

// Renames `staging` to `path`. What stood at `path` is exchanged in the same instant, so that a
// process killed here leaves the old folder or the new one, and is then removed. File systems that
// cannot exchange move the old one away first.
void put_in_place(const fs::path& staging, const fs::path& path) {
  std::error_code code;
  if (!fs::exists(path, code)) return rename_path(staging, path);
  if (::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(staging, code);
    return;
  }
  const fs::path old = path.string() + ".old";
  fs::remove_all(old, code);
  rename_path(path, old);
  try {
    rename_path(staging, path);
  } catch (const Error&) {
    ::rename(old.c_str(), path.c_str());
    throw;
  }
  fs::remove_all(old, code);
}

}  // namespace

std::string read_file(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  check(file.good(), "{}: cannot open: {}", path.string(), reason());
  const struct stat info = file.status(path);
  check(!S_ISDIR(info.st_mode), "{}: is a folder, a file was expected", path.string());
  // To the end and not only st_size bytes: a pipe or a file of /proc tells no size.
  std::string bytes(static_cast<size_t>(info.st_size) + 1, '\0');
  size_t done = 0;
  for (;;) {
    if (done == bytes.size()) bytes.resize(2 * done);
    const ssize_t count = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0, "{}: cannot read: {}", path.string(), reason());
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

FileReader::FileReader(fs::path path)
    : path_(std::move(path)), number_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (number_ < 0) fail("{}: cannot open: {}", path_.string(), reason());
  struct stat info {};
  const bool told = ::fstat(number_, &info) == 0;
  const std::string why = told ? "is a folder, a file was expected" : reason();
  if (!told || S_ISDIR(info.st_mode)) {
    ::close(number_);
    fail("{}: {}", path_.string(), why);
  }
  size_ = static_cast<uint64_t>(info.st_size);
}

FileReader::~FileReader() { ::close(number_); }

std::string FileReader::read(uint64_t begin, uint64_t size) const {
  check(
      begin <= size_ && size <= size_ - begin,
      "{}: ends after {} bytes, within what should be there: {} bytes from {} on; it has been cut "
      "short or changed",
      path_.string(), size_, size, begin);
  std::string bytes(size, '\0');
  for (uint64_t done = 0; done < size;) {
    const ssize_t count =
        ::pread(number_, bytes.data() + done, size - done, static_cast<off_t>(begin + done));
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0, "{}: cannot read: {}", path_.string(), reason());
    check(count > 0, "{}: became shorter while it was read", path_.string());
    done += static_cast<uint64_t>(count);
  }
  return bytes;
}

FileWriter::FileWriter(fs::path path)
    : path_(std::move(path)),
      aside_(path_.string() + ".partial"),
      number_(::open(aside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (number_ < 0) fail("{}: cannot create: {}", aside_.string(), reason());
}

FileWriter::~FileWriter() {
  if (number_ < 0) return;
  ::close(number_);
  ::unlink(aside_.c_str());
}

void FileWriter::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(number_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot write: {}", path_.string(), reason());
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void rename_durably(const fs::path& from, const fs::path& to) {
  rename_path(from, to);
  sync_path(parent_of(to));
}

void FileWriter::commit() {
  if (::fsync(number_) != 0) fail("{}: cannot sync: {}", path_.string(), reason());
  rename_durably(aside_, path_);
  ::close(number_);
  number_ = -1;
}

void write_file(const fs::path& path, std::string_view bytes) {
  FileWriter writer(path);
  writer.append(bytes);
  writer.commit();
}

FolderWriter::FolderWriter(fs::path path)
    : path_(without_trailing_slash(std::move(path))), staging_(path_.string() + ".partial") {
  std::error_code code;
  check(!fs::exists(path_, code) || fs::is_directory(path_, code),
        "{}: is a file, a folder was to be written there", path_.string());
  fs::remove_all(staging_, code);
  fs::create_directories(staging_, code);
  check(!code, "{}: cannot create the folder: {}", staging_.string(), code.message());
}

FolderWriter::~FolderWriter() {
  if (committed_) return;
  std::error_code code;
  fs::remove_all(staging_, code);
}

void FolderWriter::commit() {
  std::error_code code;
  fs::recursive_directory_iterator entry(staging_, code), end;
  for (; !code && entry != end; entry.increment(code)) sync_path(entry->path());
  check(!code, "{}: cannot read the folder: {}", staging_.string(), code.message());
  sync_path(staging_);
  put_in_place(staging_, path_);
  committed_ = true;
  sync_path(parent_of(path_));
}

MappedFile::MappedFile(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  check(file.good(), "{}: cannot open: {}", path.string(), reason());
  const struct stat info = file.status(path);
  check(S_ISREG(info.st_mode), "{}: is not a regular file", path.string());
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number(), 0);
  check(address != MAP_FAILED, "{}: cannot map: {}", path.string(), reason());
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string expand_environment(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t start = text.find("${");
    result += text.substr(0, start);
    if (start == std::string_view::npos) break;
    text.remove_prefix(start + 2);
    const size_t end = text.find('}');
    if (end == std::string_view::npos) fail_usage("\"${{{}\": the closing brace is missing", text);
    const std::string name(text.substr(0, end));
    text.remove_prefix(end + 1);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      fail_usage("the environment variable {} is not set: set it to the folder that is meant",
                 name);
    }
    result += value;
  }
  return result;
}

}  // namespace sightline
