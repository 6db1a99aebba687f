#pragma once
// Dropout (Srivastava et al. 2014): each number is set to 0 with a probability, and the others are
// made larger so that the expectation stays. Which numbers is a function of the seed and of the
// number's place alone: the same whether a layer is computed once or anew in backward, on whatever
// thread, before or after a resume. No mask is kept: backward makes it again.

#include <cstdint>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace sightline {

struct Dropout {
  double probability = 0.0;
  uint64_t seed = 0;

  // With a seed of its own for one place in the model: at("attention", layer).
  Dropout at(std::string_view site, int64_t layer = 0) const;
};

// One for each part of the model.
struct ModelDropout {
  Dropout vision, connector, language;
};

// x itself where the probability is 0.
at::Tensor dropped_out(const at::Tensor& x, const Dropout& dropout);

// The definition: a mask of 0 and 1 / (1 - probability), number by number, and a product.
at::Tensor plain_dropped_out(const at::Tensor& x, const Dropout& dropout);

}  // namespace sightline
