#pragma once
// Activations and rotations with their backwards, each in one pass over memory: operation by
// operation they read and write as much as the products beside them. fp32 and bf16, on the CPU and
// on devices that have kernels (device_kernels.h); elsewhere the plain definitions stand in.
//
// Legend: T rows, M inner size, H heads, d head size.

#include <ATen/core/Tensor.h>

namespace sightline {

// silu(gate) * up, elementwise.
at::Tensor swiglu(const at::Tensor& gate_TM, const at::Tensor& up_TM);
at::Tensor plain_swiglu(const at::Tensor& gate_TM, const at::Tensor& up_TM);

// at::gelu(x, "tanh").
at::Tensor gelu_by_tanh(const at::Tensor& x);

// Turns the two halves of each head by its row's angles: x [T, H, d], cosines and sines [T, d/2],
// in fp32 (fp64 for fp64). Rows may lie apart in memory.
at::Tensor rotated(const at::Tensor& x_THd, const at::Tensor& cos_Th, const at::Tensor& sin_Th);
at::Tensor plain_rotated(const at::Tensor& x_THd, const at::Tensor& cos_Th,
                         const at::Tensor& sin_Th);

}  // namespace sightline
