// Bicubic resize of a photograph to what a vision model takes: ours (bytes equal to Pillow's)
// against LibTorch's antialiased bicubic on the same bytes, channels last, one thread each.

#include "bench/ratio.h"
#include "image/resize.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/from_blob.h>

int main() {
  using namespace sightline;
  at::set_num_threads(1);
  Image photograph{.width = 500, .height = 375, .rgb = {}};
  photograph.rgb.resize(500 * 375 * 3);
  uint32_t state = 1;  // noise: neither way looks at what is shown
  std::generate(photograph.rgb.begin(), photograph.rgb.end(), [&] {
    state = state * 1664525 + 1013904223;
    return static_cast<uint8_t>(state >> 24);
  });
  const at::Tensor pixels_1CHW =
      at::from_blob(photograph.rgb.data(), {1, 375, 500, 3}, at::kByte).permute({0, 3, 1, 2});
  for (const int side : {224, 384}) {
    bench::compare("resize 500 x 375 to " + std::to_string(side),
                   {"ours", [&] { resize_bicubic(photograph, side, side); }},
                   {"LibTorch", [&] {
                      at::_upsample_bicubic2d_aa(pixels_1CHW, {side, side}, false);
                    }});
  }
}
