// sightline: one program for training, captioning, asking and evaluating. `sightline --help`.

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "tensor/host_allocator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <malloc.h>
#include <string>
#include <string_view>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <c10/util/Exception.h>
#include <fmt/format.h>

namespace sightline {
namespace {

enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2 };

// OpenMP's waiting threads spin unless told otherwise before the program is loaded; on few cores
// that costs up to half the time. Some ten microseconds of it, as long as a product's threads are
// apart, save waking them: a fiftieth of a step. So the program starts itself anew with both set:
// before LibTorch's initializers run, which take a fifth of a second and would run twice. That
// early the C library knows no environment yet, so the loader's own is searched and extended.
void restart_with_passive_waiting(int, char** arguments, char** environment) {
  constexpr std::string_view kPolicy = "OMP_WAIT_POLICY=";
  size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    if (std::string_view(environment[count]).starts_with(kPolicy)) return;
  }
  char passive[] = "OMP_WAIT_POLICY=passive", spins[] = "GOMP_SPINCOUNT=3000";
  // On the stack: there is no heap yet.
  auto** const extended = static_cast<char**>(__builtin_alloca((count + 3) * sizeof(char*)));
  std::copy_n(environment, count, extended);
  extended[count] = passive;
  extended[count + 1] = spins;
  extended[count + 2] = nullptr;
  execve("/proc/self/exe", arguments, extended);  // where that fails, slower is still right
}

using Early = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] constexpr Early kBeforeLibraries =
    restart_with_passive_waiting;

// Training asks for the same large buffers at every step. By default glibc maps and unmaps each of
// them, and the kernel clears their pages anew: kept, a step costs half the system time.
void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
}

// oneDNN keeps what it made for the last 1,024 shapes of products, up to a megabyte each; packed
// batches hardly ever bring a shape again. 128 are those of a step's layers: the same time, and a
// third less memory after 40 steps of recipes/flickr8k.toml (docs/results/plan.md).
void keep_few_products() { setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128", /*overwrite=*/0); }

int explain(ExitCode code, const std::string& message) {
  log_line("sightline: " + message);
  return code;
}

int run(int count, char** arguments) {
  const auto app = make_program();
  try {
    app->parse(count, arguments);
    return kDone;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app->exit(error);  // --help
    return explain(kWrongUsage, fmt::format("{} (see --help)", error.what()));
  } catch (const UsageError& error) {
    return explain(kWrongUsage, error.what());
  } catch (const Error& error) {
    return explain(kFailed, error.what());
  } catch (const AssertionError& error) {
    return explain(kFailed, fmt::format("internal error, please report it: {}", error.what()));
  } catch (const c10::Error& error) {
    return explain(kFailed, fmt::format("internal error, please report it: {}",
                                        error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return explain(kFailed, "out of memory: try a smaller batch");
  } catch (const std::exception& error) {
    return explain(kFailed, error.what());
  }
}

}  // namespace
}  // namespace sightline

int main(int count, char** arguments) {
  sightline::keep_freed_memory();
  sightline::use_host_allocator();
  sightline::keep_few_products();
  const int code = sightline::run(count, arguments);
  // A full disk, or a reader that went away, shows when the last results are written.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return sightline::explain(sightline::kFailed, "cannot write the results to stdout");
  }
  // All is written and closed. LibTorch would still take its operators apart one by one, a tenth of
  // a second and more.
  std::_Exit(code);
}
