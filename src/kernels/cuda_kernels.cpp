#include "kernels/cuda_kernels.h"

#include "base/plugin.h"

namespace sightline {

const CudaKernels* cuda_kernels() {
  static const CudaKernels* const kernels = [] {
    auto* const table = cuda_plugin().symbol<CudaKernelTable>(kCudaKernelTable);
    return table == nullptr ? nullptr : table();
  }();
  return kernels;
}

}  // namespace sightline
