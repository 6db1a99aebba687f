// sightline doctor

#include "base/error.h"
#include "cli/commands.h"
#include "cli/doctor_findings.h"
#include "tensor/device.h"

#include <cstdlib>
#include <memory>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// build/PRESET/sightline of a checkout has ./dev two folders up.
fs::path checkout_of_program() {
  std::error_code absent;
  const fs::path program = fs::read_symlink("/proc/self/exe", absent);
  const fs::path root = program.parent_path().parent_path().parent_path();
  return fs::exists(root / "dev", absent) && fs::exists(root / "src/cli", absent) ? root
                                                                                  : fs::path();
}

Surroundings look_around() {
  Surroundings surroundings{.machine = this_machine(),
                            .engine = parse_engine(at::show_config()),
                            .built_for = SIGHTLINE_TORCH_VERSION,
                            .data = variable("SIGHTLINE_DATA"),
                            .checkout = checkout_of_program()};
  surroundings.engine.sees_gpu = usable_gpus() > 0;
  return surroundings;
}

struct Line {
  const char* topic;
  std::string text;
};

std::string gigabytes(int64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

std::string gpu_text(const Surroundings& here) {
  if (here.machine.gpus.empty()) return "no NVIDIA GPU; all is computed on the CPU";
  return fmt::format("{} ({})", fmt::join(here.machine.gpus, ", "),
                     here.engine.sees_gpu ? "LibTorch can use it: device = \"auto\" takes it"
                                          : "LibTorch cannot use it; all is computed on the CPU");
}

std::string instruction_text(const Surroundings& here) {
  std::vector<std::string> sets;
  for (const InstructionSet& set : instruction_sets(here.machine.cpu)) {
    sets.push_back(fmt::format("{} {}", set.name, set.present ? "yes" : "no"));
  }
  return fmt::format("{}; LibTorch's kernels use {}", fmt::join(sets, ", "),
                     here.engine.instructions);
}

// Variables that change how sums are split among threads, or which kernels run.
std::string determinism_text() {
  std::vector<std::string> set;
  for (const char* name : {"OMP_NUM_THREADS", "OMP_DYNAMIC", "MKL_NUM_THREADS", "MKL_DYNAMIC",
                           "MKL_CBWR", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA"}) {
    if (!variable(name).empty()) set.push_back(fmt::format("{}={}", name, variable(name)));
  }
  return fmt::format(
      "a run gives the same bits again on this machine with the same threads (always; there is no "
      "switch); {}",
      set.empty() ? std::string("no variable that could change them is set")
                  : fmt::format("set, and part of what must stay: {}", fmt::join(set, " ")));
}

std::vector<Line> lines_of(const Surroundings& here) {
  const Machine& machine = here.machine;
  const std::string waiting = variable("OMP_WAIT_POLICY");
  return {{"program", fmt::format("sightline {}, g++ {}.{}, {} build", SIGHTLINE_VERSION, __GNUC__,
                                  __GNUC_MINOR__, SIGHTLINE_BUILD_TYPE)},
          {"engine", fmt::format("LibTorch {}, {}; {}", here.engine.version,
                                 here.engine.cuda.empty() ? "for the CPU"
                                                          : "built for CUDA " + here.engine.cuda,
                                 fmt::join(here.engine.libraries, ", "))},
          {"devices",
           fmt::format("{}, {} cores to use; {} of memory, {} free",
                       machine.cpu.model.empty() ? "a CPU" : machine.cpu.model, machine.cores,
                       gigabytes(machine.memory), gigabytes(machine.free_memory))},
          {"", gpu_text(here)},
          {"threads", fmt::format("{} (key \"threads\" of a recipe; 0: all cores), waiting ones {}",
                                  at::get_num_threads(),
                                  waiting == "passive" ? "sleep"
                                                       : "spin: OMP_WAIT_POLICY=passive "
                                                         "has them sleep")},
          {"instructions", instruction_text(here)},
          {"numbers", multiplies_bf16(machine.cpu)
                          ? "bf16 is multiplied by the CPU itself: numbers = \"bf16\" is quicker"
                          : "the CPU does not multiply bf16 itself: numbers = \"fp32\" is quicker"},
          {"determinism", determinism_text()}};
}

void print_text(const Surroundings& here, const std::vector<Missing>& missing) {
  for (const Line& line : lines_of(here)) fmt::print("{:<14}{}\n", line.topic, line.text);
  if (missing.empty()) fmt::print("\nNothing is missing.\n");
  for (const Missing& each : missing) {
    fmt::print("\n{}: {}: {}\n  {}\n", each.needed ? "missing" : "not here (an extra)", each.what,
               each.why, each.mend);
  }
}

void print_json(const Surroundings& here, const std::vector<Missing>& missing) {
  Json json = Json::object();
  const char* topic = "";
  for (const Line& line : lines_of(here)) {
    if (*line.topic != '\0') topic = line.topic;
    json[topic].push_back(line.text);
  }
  json["missing"] = Json::array();
  for (const auto& [what, why, mend, needed] : missing) {
    json["missing"].push_back({{"what", what}, {"why", why}, {"mend", mend}, {"needed", needed}});
  }
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

enum class Output { text, json };

void run_doctor(Output output) {
  const Surroundings here = look_around();
  const std::vector<Missing> missing = missing_in(here);
  output == Output::json ? print_json(here, missing) : print_text(here, missing);
  for (const Missing& each : missing) {
    check(!each.needed, "{}: {}; mend it by: {}", each.what, each.why, each.mend);
  }
}

}  // namespace

void add_doctor_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Tell what the program finds here: engine, devices, threads, what is missing.");
  command->footer(
      "Example:\n  sightline doctor"
      "\n\nBelow what is missing stands the command that mends it. Ends with 1 where it is "
      "needed.");
  const auto output = std::make_shared<Output>(Output::text);
  command->add_flag_callback(
      "--json", [output] { *output = Output::json; }, "print all as JSON");
  command->callback([output] { run_doctor(*output); });
}

}  // namespace sightline
