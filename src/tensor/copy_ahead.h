#pragma once
// Copies from the CPU to a device that go beside what the device computes, on a stream of their
// own: begun while one micro-batch is computed, a copy is there when the next one begins.

#include <optional>

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

namespace sightline {

// A copy that was begun. Made by itself it is none: arrived() is undefined.
class CopyAhead {
 public:
  // The copy, for what the calling thread's stream is given from now on: the stream waits for it,
  // the caller does not.
  at::Tensor arrived() const;

 private:
  friend class CopyStream;
  at::Tensor copy_;
  std::optional<c10::Event> done_;  // where it is under way
};

class CopyStream {
 public:
  // To the CPU nothing is copied: what is given comes back.
  explicit CopyStream(at::Device device);
  // `host` may change once this returns, unless it is what comes back: on `device` already, or
  // undefined.
  CopyAhead begin(const at::Tensor& host) const;

 private:
  at::Device device_;
  std::optional<c10::Stream> stream_;
};

}  // namespace sightline
