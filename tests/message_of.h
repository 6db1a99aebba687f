#pragma once
// What an Error says.

#include "base/error.h"

#include <functional>
#include <string>

namespace sightline::test {

// Of the Error that `action` ends with; "no Error" where it ends without.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

}  // namespace sightline::test
