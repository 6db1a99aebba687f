#pragma once
// docs/extending.md shows the files of this folder as they are compiled and tested.

#include "base/file.h"
#include "tests/support.h"

#include <string>

namespace sightline::test {

inline bool page_shows(const std::string& file) {
  const std::string page = read_file(source_folder() / "docs/extending.md");
  const std::string code = read_file(source_folder() / "tests/extending" / file);
  return page.find("```cpp\n" + code + "```\n") != std::string::npos;
}

}  // namespace sightline::test
