#include "dist/nccl.h"

#include "base/error.h"
#include "base/plugin.h"

#include <c10/util/Exception.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace sightline {

c10::intrusive_ptr<c10d::Backend> make_nccl(const BackendRequest& request) {
  const Plugin plugin = cuda_plugin();
  auto* const factory = plugin.symbol<NcclFactory>(kNcclFactory);
  check(factory != nullptr,
        "rank {}: ranks that train on GPUs exchange gradients by NCCL, which is out of reach: {}. "
        "Install a CUDA toolkit and NCCL with their headers (nccl.h), and run ./dev build on a "
        "machine with a GPU: it tells what GPUs still want. Or train on one GPU, or on the CPU",
        request.rank, plugin.is_loaded() ? "the plugin is of another version" : plugin.problem());
  c10::intrusive_ptr<c10d::Backend> made;
  try {
    factory(request, made);
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    fail("rank {}: NCCL cannot begin on {}: {}. Does `nvidia-smi` list a GPU for each rank?",
         request.rank, request.device.str(), text.substr(0, text.find('\n')));
  }
  return made;
}

}  // namespace sightline
