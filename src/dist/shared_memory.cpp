#include "dist/shared_memory.h"

#include "base/error.h"
#include "base/json.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace sightline {

namespace {

// "" where /proc does not tell.
std::string link_of(const char* path) {
  char text[64];
  const ssize_t length = readlink(path, text, sizeof(text));
  return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
}

// The same where one process can open what another has open, and both have one network.
std::string neighbourhood() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  return boot + " " + link_of("/proc/self/ns/pid") + " " + link_of("/proc/self/ns/net");
}

struct stat status_of(int number) {
  struct stat status {};
  check(fstat(number, &status) == 0, "shared memory: {}", std::strerror(errno));
  return status;
}

int made(size_t bytes) {
  const int number = memfd_create("sightline", MFD_CLOEXEC);
  check(number >= 0, "cannot make shared memory: {}", std::strerror(errno));
  if (ftruncate(number, static_cast<off_t>(bytes)) == 0) return number;
  const int reason = errno;
  close(number);
  fail("cannot make {} bytes of shared memory: {}", bytes, std::strerror(reason));
}

}  // namespace

SharedMemory::SharedMemory(size_t bytes) : SharedMemory(made(bytes), bytes) {}

SharedMemory::SharedMemory(int number, size_t bytes) : number_(number), size_(bytes) {
  void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
  if (mapped == MAP_FAILED) {
    const int reason = errno;
    close(number);
    fail("cannot map {} bytes of shared memory: {}", bytes, std::strerror(reason));
  }
  data_ = static_cast<std::byte*>(mapped);
}

SharedMemory::~SharedMemory() {
  munmap(data_, size_);
  close(number_);
}

std::string SharedMemory::address() const {
  return Json{{"neighbourhood", neighbourhood()},
              {"file", fmt::format("/proc/{}/fd/{}", getpid(), number_)},
              {"inode", status_of(number_).st_ino},
              {"bytes", size_}}
      .dump();
}

std::unique_ptr<SharedMemory> SharedMemory::open(const std::string& address) {
  const Json told = Json::parse(address);
  if (told.at("neighbourhood") != neighbourhood()) return nullptr;
  const int number = ::open(told.at("file").get<std::string>().c_str(), O_RDWR | O_CLOEXEC);
  if (number < 0) return nullptr;
  // A process number may be another's by now.
  if (status_of(number).st_ino != told.at("inode").get<ino_t>()) {
    close(number);
    return nullptr;
  }
  return std::unique_ptr<SharedMemory>(new SharedMemory(number, told.at("bytes").get<size_t>()));
}

}  // namespace sightline
