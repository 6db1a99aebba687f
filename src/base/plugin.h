#pragma once
// A library of ours that the program loads while it runs. What needs the libraries of a GPU is kept
// out of the program itself, which so starts on machines that have none of them.

#include <filesystem>
#include <string>

namespace sightline {

class Plugin {
 public:
  // Loads the library at `path`. It stays loaded to the program's end: what it has registered
  // elsewhere cannot be taken back. Loading it again costs nothing.
  explicit Plugin(const std::filesystem::path& path);

  bool is_loaded() const { return handle_ != nullptr; }
  // Why it is not: "there is no x.so", "libnccl.so.2: cannot open shared object file"; "" where it
  // is.
  const std::string& problem() const { return problem_; }

  // What the library exports as extern "C"; null where it has no such, or is not loaded.
  template <class T>
  T* symbol(const char* name) const {
    return reinterpret_cast<T*>(address_of(name));
  }

 private:
  void* address_of(const char* name) const;

  void* handle_ = nullptr;
  std::string problem_;
};

// All of ours that needs CUDA (src/cuda), beside the program where it was built with it.
Plugin cuda_plugin();

}  // namespace sightline
