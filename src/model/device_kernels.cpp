#include "model/device_kernels.h"

#include <map>

namespace sightline {
namespace {

std::map<c10::DeviceType, const CudaKernels*>& given() {
  static std::map<c10::DeviceType, const CudaKernels*> kernels;
  return kernels;
}

}  // namespace

const CudaKernels* device_kernels(at::Device device) {
  if (device.is_cpu()) return nullptr;
  if (device.is_cuda()) return cuda_kernels();
  const auto found = given().find(device.type());
  return found == given().end() ? nullptr : found->second;
}

void set_device_kernels(c10::DeviceType type, const CudaKernels* kernels) {
  given()[type] = kernels;
}

}  // namespace sightline
