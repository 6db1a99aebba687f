#include "base/plugin.h"

#include <dlfcn.h>
#include <system_error>

#include <fmt/format.h>

namespace sightline {

namespace fs = std::filesystem;

Plugin::Plugin(const fs::path& path) {
  std::error_code none;
  if (!fs::exists(path, none)) {
    problem_ = fmt::format("there is no {}", path.string());
    return;
  }
  handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) problem_ = dlerror();
}

void* Plugin::address_of(const char* name) const {
  return handle_ == nullptr ? nullptr : dlsym(handle_, name);
}

Plugin cuda_plugin() {
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  return Plugin(program.parent_path() / "libsightline_cuda.so");
}

}  // namespace sightline
