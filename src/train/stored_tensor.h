#pragma once
// What a checkpoint holds of a stage's training, tensor by tensor: a state as large as several
// models is never in memory twice.

#include "base/error.h"

#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

namespace sightline {

// The tensor of this name; an Error naming the file where there is none.
using StoredTensor = std::function<at::Tensor(const std::string& name)>;

inline void copy_stored(const StoredTensor& stored, const std::string& name, at::Tensor into) {
  const at::Tensor tensor = stored(name);
  check(tensor.sizes() == into.sizes(),
        "the checkpoint's \"{}\" has another shape than the model's", name);
  into.copy_(tensor);
}

}  // namespace sightline
