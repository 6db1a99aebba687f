#include "base/crash_point.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace sightline {

namespace {

struct Wish {
  Wish() {
    const char* value = std::getenv("SIGHTLINE_CRASH_AT");
    if (value == nullptr) return;
    const std::string text = value;
    const size_t colon = text.rfind(':');
    name = text.substr(0, colon);
    remaining = colon == std::string::npos ? 1 : std::atoi(text.c_str() + colon + 1);
  }

  std::string name;
  std::atomic<int> remaining = 0;
};

}  // namespace

void crash_point(std::string_view name) {
  static Wish wish;
  if (wish.remaining > 0 && name == wish.name && --wish.remaining == 0) std::raise(SIGKILL);
}

}  // namespace sightline
