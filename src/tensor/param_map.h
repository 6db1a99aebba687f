#pragma once
// Parameters by name, in a fixed order. Names are the part ("vision.", "connector.", "language.")
// and then Hugging Face's own; freezing, weight decay and checkpoints are predicates over them.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// Names and shapes of parameters, in order.
using NamedShapes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

class ParamMap {
 public:
  using Entry = std::pair<std::string, at::Tensor>;

  // Asserts that the name is new.
  void add(std::string name, at::Tensor tensor);
  // Asserts that the name is there.
  const at::Tensor& at(std::string_view name) const;
  bool contains(std::string_view name) const;
  void replace(std::string_view name, at::Tensor tensor);
  // The tensors whose names begin so, in order.
  std::vector<at::Tensor> starting_with(std::string_view prefix) const;

  size_t size() const { return entries_.size(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }
  int64_t num_elements() const;

 private:
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
};

}  // namespace sightline
