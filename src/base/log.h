#pragma once
// What Sightline tells a person while it works: to stderr, so that stdout holds results alone.

#include <string_view>

#include <fmt/format.h>

namespace sightline {

void log_line(std::string_view text);

template <class... Args>
void log(fmt::format_string<Args...> format, Args&&... args) {
  log_line(fmt::format(format, std::forward<Args>(args)...));
}

// Progress of long work. On a terminal one line is redrawn in place; elsewhere a plain line is
// printed at most every `seconds_between_lines`. log() ends a live line before it prints.
class Progress {
 public:
  explicit Progress(double seconds_between_lines = 10.0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows `text` now if it is due; the last text is always shown by finish().
  void update(std::string_view text);
  void finish();

 private:
  double interval_;
  double last_shown_ = -1e9;
  bool pending_ = false;
  std::string last_text_;
};

// Seconds since the program started, from a steady clock.
double seconds_now();

// 75 -> "1m15s", 3700 -> "1h01m".
std::string format_duration(double seconds);

}  // namespace sightline
