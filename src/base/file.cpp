#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::string reason() { return std::strerror(errno); }

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

 private:
  int number_;
};

void sync_path(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  check(file.good(), "{}: cannot open to sync: {}", path.string(), reason());
  check(::fsync(file.number()) == 0, "{}: cannot sync: {}", path.string(), reason());
}

fs::path parent_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

}  // namespace

std::string read_file(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  check(file.good(), "{}: cannot open: {}", path.string(), reason());
  struct stat info {};
  check(::fstat(file.number(), &info) == 0, "{}: {}", path.string(), reason());
  check(!S_ISDIR(info.st_mode), "{}: is a folder, a file was expected", path.string());
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    check(count >= 0, "{}: cannot read: {}", path.string(), reason());
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  const fs::path aside = path.string() + ".partial";
  {
    Descriptor file(aside, O_WRONLY | O_CREAT | O_TRUNC);
    check(file.good(), "{}: cannot create: {}", aside.string(), reason());
    while (!bytes.empty()) {
      const ssize_t count = ::write(file.number(), bytes.data(), bytes.size());
      if (count < 0) {
        const std::string why = reason();
        ::unlink(aside.c_str());
        fail("{}: cannot write: {}", path.string(), why);
      }
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    if (::fsync(file.number()) != 0) {
      const std::string why = reason();
      ::unlink(aside.c_str());
      fail("{}: cannot sync: {}", path.string(), why);
    }
  }
  check(::rename(aside.c_str(), path.c_str()) == 0, "{}: cannot put in place: {}", path.string(),
        reason());
  sync_path(parent_of(path));
}

FolderWriter::FolderWriter(fs::path path)
    : path_(std::move(path)), staging_(path_.string() + ".partial") {
  std::error_code code;
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
  for (const auto& entry : fs::recursive_directory_iterator(staging_)) sync_path(entry.path());
  sync_path(staging_);
  const fs::path old = path_.string() + ".old";
  std::error_code code;
  fs::remove_all(old, code);
  if (fs::exists(path_)) {
    check(::rename(path_.c_str(), old.c_str()) == 0, "{}: cannot replace: {}", path_.string(),
          reason());
  }
  check(::rename(staging_.c_str(), path_.c_str()) == 0, "{}: cannot put in place: {}",
        path_.string(), reason());
  sync_path(parent_of(path_));
  fs::remove_all(old, code);
  committed_ = true;
}

MappedFile::MappedFile(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  check(file.good(), "{}: cannot open: {}", path.string(), reason());
  struct stat info {};
  check(::fstat(file.number(), &info) == 0, "{}: {}", path.string(), reason());
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
    check(end != std::string_view::npos, "\"{}\": \"${{\" without its \"}}\"", text);
    const std::string name(text.substr(0, end));
    text.remove_prefix(end + 1);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      fail_usage("the environment variable {} is not set: set it to the folder that is meant", name);
    }
    result += value;
  }
  return result;
}

}  // namespace sightline
