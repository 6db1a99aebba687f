#include "tensor/copy_ahead.h"

#include "tensor/device.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace sightline {

at::Tensor CopyAhead::arrived() const {
  if (!done_) return copy_;
  const c10::Stream computing =
      c10::impl::VirtualGuardImpl(copy_.device().type()).getStream(copy_.device());
  done_->block(computing);
  copy_.record_stream(computing);  // its memory belongs to the other stream
  return copy_;
}

CopyStream::CopyStream(at::Device device) : device_(device) {
  if (device.is_cpu()) return;
  stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

CopyAhead CopyStream::begin(const at::Tensor& host) const {
  CopyAhead copy;
  copy.copy_ = host;
  if (!host.defined() || host.device() == device_) return copy;
  const c10::StreamGuard beside(*stream_);
  copy.copy_ = on_device(host, device_);
  copy.done_.emplace(device_.type());
  copy.done_->record(*stream_);
  return copy;
}

}  // namespace sightline
