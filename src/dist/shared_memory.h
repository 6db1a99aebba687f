#pragma once
// Memory that processes of one machine have in common: one makes it, the others open it by its
// address. It is no file of any folder (memfd), so no limit of /dev/shm holds it, and it is gone
// with the last process that has it.

#include <cstddef>
#include <memory>
#include <string>

namespace sightline {

class SharedMemory {
 public:
  // `bytes` of zeros. An Error where the system gives none.
  explicit SharedMemory(size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Another process's; null where that is out of reach: on another machine, in another network or
  // process namespace (so that what stands for several machines is taken for them), another user's,
  // or gone.
  static std::unique_ptr<SharedMemory> open(const std::string& address);
  std::string address() const;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  SharedMemory(int number, size_t bytes);

  int number_ = -1;  // the open memory's
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sightline
