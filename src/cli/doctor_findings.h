#pragma once
// What `doctor` has to say of a machine, as plain data.

#include "base/json.h"
#include "base/machine.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

// LibTorch as it is loaded, not as it was compiled against.
struct Engine {
  std::string version;                 // "2.11.0+cpu"
  std::vector<std::string> libraries;  // "oneDNN v3.7.1", "OpenMP 4.5", ...
  std::string cuda;                    // version that it was built for; empty: CPU alone
  std::string instructions;            // what its kernels use: "AVX512"
  bool sees_gpu = false;
};

// Reads the text that LibTorch tells of itself (at::show_config()).
Engine parse_engine(const std::string& text);

struct Surroundings {
  Machine machine;
  Engine engine;
  std::string built_for;           // the LibTorch version that the program was compiled with
  std::string data;                // SIGHTLINE_DATA; empty: not set
  std::filesystem::path checkout;  // the source folder that holds the program; empty: none
};

struct Missing {
  std::string what, why;
  std::string mend;     // a command
  bool needed = false;  // something fails for want of it; else it is an extra
};

std::vector<Missing> missing_in(const Surroundings& surroundings);

}  // namespace sightline
