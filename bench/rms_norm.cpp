// RMSNorm forward and backward: ours against its definition, operation by operation, and against a
// copy of the rows as the memory's own limit.
//
// Legend: T rows, D hidden size.

#include "model/rms_norm.h"

#include "bench/ratio.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

int main() {
  using namespace sightline;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x_TD = at::randn({4096, 256}).to(dtype).requires_grad_(true);
    const at::Tensor weight_D = at::ones({256}, at::TensorOptions(dtype)).requires_grad_(true);
    const std::string name = dtype == at::kFloat ? "fp32" : "bf16";
    const bench::Timed ours{"ours", [&] { rms_norm(x_TD, weight_D, 1e-6).sum().backward(); }};
    const bench::Timed plain{"plain",
                             [&] { plain_rms_norm(x_TD, weight_D, 1e-6).sum().backward(); }};
    bench::compare("rms_norm, 4096 x 256, " + name, ours, plain);
    bench::compare("  beside a copy of the rows, " + name, ours,
                   {"copy", [&] { x_TD.detach().clone(); }});
  }
}
