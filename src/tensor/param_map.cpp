#include "tensor/param_map.h"

#include "base/error.h"

namespace sightline {

void ParamMap::add(std::string name, at::Tensor tensor) {
  const bool is_new = index_.emplace(name, entries_.size()).second;
  SL_ASSERT(is_new, "parameter {} is there already", name);
  entries_.emplace_back(std::move(name), std::move(tensor));
}

const at::Tensor& ParamMap::at(std::string_view name) const {
  const auto found = index_.find(name);
  SL_ASSERT(found != index_.end(), "no parameter {}", name);
  return entries_[found->second].second;
}

bool ParamMap::contains(std::string_view name) const { return index_.find(name) != index_.end(); }

void ParamMap::replace(std::string_view name, at::Tensor tensor) {
  const auto found = index_.find(name);
  SL_ASSERT(found != index_.end(), "no parameter {}", name);
  entries_[found->second].second = std::move(tensor);
}

std::vector<at::Tensor> ParamMap::starting_with(std::string_view prefix) const {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : entries_) {
    if (name.starts_with(prefix)) tensors.push_back(tensor);
  }
  return tensors;
}

int64_t ParamMap::num_elements() const {
  int64_t total = 0;
  for (const auto& [name, tensor] : entries_) total += tensor.numel();
  return total;
}

}  // namespace sightline
