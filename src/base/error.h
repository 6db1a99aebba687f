#pragma once
// The two kinds of error that Sightline knows, and no third.
//   Error           the user's to mend: names the file, row or key, the value and what to do.
//   AssertionError  our bug: says which invariant broke and where.
// main() turns the first into one line and exit code 1 or 2, the second into a request to report
// it.

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace sightline {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Wrong input or usage (a recipe, a flag, a missing path): exit code 2 in place of 1.
class UsageError : public Error {
 public:
  using Error::Error;
};

class AssertionError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw UsageError(fmt::format(format, std::forward<Args>(args)...));
}

// Throws Error unless `condition` holds. The message is built only on failure.
template <class... Args>
void check(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(format, std::forward<Args>(args)...);
}

[[noreturn]] void assertion_failed(std::string_view expression, std::string_view detail,
                                   std::source_location where = std::source_location::current());

// The candidate nearest to `name` by edit distance, or "" when none is near enough to suggest.
std::string nearest_name(std::string_view name, const std::string* first, const std::string* last);

}  // namespace sightline

// An invariant of our own code. SL_ASSERT(a == b, "a is {} and b is {}", a, b);
#define SL_ASSERT(condition, ...)                                            \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::sightline::assertion_failed(#condition, ::fmt::format(__VA_ARGS__)); \
  } while (false)
