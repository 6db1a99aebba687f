#include "dist/step_teller.h"

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fcntl.h>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <unistd.h>

namespace sightline {

namespace {

void beat(const std::stop_token& stop, int file) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  const int64_t sign = -1;
  do {
    [[maybe_unused]] const ssize_t written = write(file, &sign, sizeof(sign));
  } while (!changed.wait_for(lock, stop, std::chrono::seconds(1),
                             [&] { return stop.stop_requested(); }));
}

}  // namespace

StepTeller::StepTeller() {
  const char* text = std::getenv(kStepFile);
  if (text == nullptr) return;
  const std::string_view number = text;
  std::from_chars(number.data(), number.data() + number.size(), file_);
  if (fcntl(file_, F_GETFL) < 0) file_ = -1;  // a launcher's further up, and closed since
  if (file_ >= 0) beat_ = std::jthread(beat, file_);
}

void StepTeller::tell(int64_t step) const {
  if (file_ < 0) return;
  // Where the pipe is full the launcher is late, and the next step's number will do.
  [[maybe_unused]] const ssize_t written = write(file_, &step, sizeof(step));
}

}  // namespace sightline
