#include "base/log.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <unistd.h>

namespace sightline {

namespace {

// The one piece of shared state of the terminal: whether a live line stands on it.
struct Terminal {
  std::mutex mutex;
  bool live_line = false;
};

Terminal& terminal() {
  static Terminal instance;
  return instance;
}

bool stderr_is_terminal() {
  static const bool value = isatty(STDERR_FILENO) == 1;
  return value;
}

}  // namespace

void log_line(std::string_view text) {
  std::lock_guard lock(terminal().mutex);
  if (terminal().live_line) std::fputs("\r\033[K", stderr);
  terminal().live_line = false;
  fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
}

Progress::Progress(double seconds_between_lines)
    : interval_(stderr_is_terminal() ? 0.1 : seconds_between_lines) {}

Progress::~Progress() { finish(); }

void Progress::update(std::string_view text) {
  last_text_ = text;
  pending_ = true;
  const double now = seconds_now();
  if (now - last_shown_ < interval_) return;
  last_shown_ = now;
  pending_ = false;
  if (!stderr_is_terminal()) return log_line(text);
  std::lock_guard lock(terminal().mutex);
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  terminal().live_line = true;
}

void Progress::finish() {
  if (stderr_is_terminal()) {
    if (!last_text_.empty()) log_line(last_text_);
  } else if (pending_) {
    log_line(last_text_);
  }
  pending_ = false;
  last_text_.clear();
}

double seconds_now() {
  using Clock = std::chrono::steady_clock;
  static const Clock::time_point start = Clock::now();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string format_duration(double seconds) {
  if (!(seconds < 1e9)) return "?";  // infinite or not a number: a rate is not known yet
  const auto total = std::max(0L, static_cast<long>(seconds + 0.5));
  if (total < 60) return fmt::format("{}s", total);
  if (total < 3600) return fmt::format("{}m{:02}s", total / 60, total % 60);
  return fmt::format("{}h{:02}m", total / 3600, total / 60 % 60);
}

}  // namespace sightline
