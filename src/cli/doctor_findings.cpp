#include "cli/doctor_findings.h"

#include <sstream>

#include <fmt/format.h>

namespace sightline {

namespace {

namespace fs = std::filesystem;

// "NAME=value," within the line of build settings, or "".
std::string setting(const std::string& text, const std::string& name) {
  const size_t begin = text.find(" " + name + "=");
  if (begin == std::string::npos) return {};
  const size_t value = begin + name.size() + 2;
  return text.substr(value, text.find_first_of(",\n", value) - value);
}

// "2.11.0" of "2.11.0+cpu".
std::string number_of(const std::string& version) { return version.substr(0, version.find('+')); }

Missing data_missing(const Surroundings& surroundings) {
  const std::string mend = "export SIGHTLINE_DATA=/path/to/data";
  if (surroundings.data.empty()) {
    return {"SIGHTLINE_DATA", "is not set: recipes and tests on real data look there", mend};
  }
  return {"SIGHTLINE_DATA", surroundings.data + ": no such folder", mend, true};
}

}  // namespace

Engine parse_engine(const std::string& text) {
  Engine engine{.version = setting(text, "TORCH_VERSION"), .cuda = setting(text, "CUDA_VERSION")};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto value_behind = [&](const std::string& words) {
      const size_t at = line.find(words);
      return at == std::string::npos ? std::string() : line.substr(at + words.size());
    };
    const auto first_word = [](const std::string& words) {
      return words.substr(0, words.find(' '));
    };
    if (const auto mkl = value_behind("Math Kernel Library Version "); !mkl.empty()) {
      engine.libraries.push_back("MKL " + first_word(mkl).substr(0, mkl.find('-')));
    } else if (const auto onednn = value_behind("MKL-DNN "); !onednn.empty()) {
      engine.libraries.push_back("oneDNN " + first_word(onednn));
    } else if (const auto openmp = value_behind("a.k.a. OpenMP "); !openmp.empty()) {
      engine.libraries.push_back("OpenMP " + openmp.substr(0, openmp.find(')')));
    } else if (const auto used = value_behind("CPU capability usage: "); !used.empty()) {
      engine.instructions = used;
    }
  }
  return engine;
}

std::vector<Missing> missing_in(const Surroundings& surroundings) {
  std::vector<Missing> list;
  const Engine& engine = surroundings.engine;
  const bool in_checkout = !surroundings.checkout.empty();
  const std::string in = in_checkout ? "cd " + surroundings.checkout.string() + " && " : "";
  if (number_of(engine.version) != surroundings.built_for) {
    list.push_back({"LibTorch " + surroundings.built_for,
                    "the program was built for it, and " + engine.version + " is loaded",
                    in + "./dev build", true});
  }
  if (!surroundings.machine.gpus.empty() && !engine.sees_gpu) {
    list.push_back({"LibTorch for the GPU",
                    surroundings.machine.gpus.front() + " is here, and LibTorch does not see it",
                    in + "./dev build"});
  }
  if (surroundings.data.empty() || !fs::is_directory(surroundings.data)) {
    list.push_back(data_missing(surroundings));
  }
  if (in_checkout && !fs::exists(surroundings.checkout / ".deps/oracle/requirements.txt")) {
    list.push_back({"the Python references", "tests compare with them; no run needs them",
                    in + "./dev oracle"});
  }
  return list;
}

}  // namespace sightline
