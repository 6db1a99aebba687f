#pragma once
// Histograms of oriented gradients (Dalal and Triggs 2005): which way the edges of a patch run, and
// nothing of their colour. As what a vision model is to give back they are MaskFeat's (Wei et al.
// 2022, arXiv 2112.09133): shape is then plain to see in its features whatever the colour, where
// pixels alone tie the two together.
//
// Legend: I images, H x W pixels, P patches, row by row, C numbers of a patch.

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace sightline {

inline constexpr int64_t kOrientations = 8;  // of an edge, whatever its sign: pi / 8 apart

// C: kOrientations for each of a patch's 2 x 2 cells, or of its one cell where its side is odd.
int64_t num_oriented_gradients(int64_t patch_size);

// [I, channels, H, W] of normalised pixels -> [I, P, C] in fp32. A pixel's gradient is the central
// difference, of the channel where it is largest; it counts with its size in the two orientations
// nearest to it. A patch's C numbers are scaled to length 1, a flat patch's stay near 0.
at::Tensor oriented_gradients(const at::Tensor& pixels_ICHW, int64_t patch_size);

}  // namespace sightline
