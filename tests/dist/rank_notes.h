#pragma once
// What a rank leaves for the test that started it.

#include "base/hash.h"
#include "tests/ranks.h"

#include <span>
#include <string>

#include <ATen/core/Tensor.h>

namespace sightline::test {

// Read there by Ranks::text("what-rank").
inline void write(const std::string& what, int64_t rank, const std::string& text) {
  write_file(ranks_folder() / (what + "-" + std::to_string(rank)), text);
}

// The same for the same bits.
inline std::string key_of(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.contiguous();
  return content_key(
      std::as_bytes(std::span(static_cast<const char*>(dense.const_data_ptr()), dense.nbytes())));
}

}  // namespace sightline::test
