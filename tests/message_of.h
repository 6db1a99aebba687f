#pragma once
// What an Error says.

#include "base/error.h"

#include <functional>
#include <string>

namespace sightline::test {

inline constexpr const char* kNoError = "no Error";

// Of the Error that `action` ends with; kNoError where it ends without.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return kNoError;
}

}  // namespace sightline::test
