// Decodes the pictures of the command line and resizes each to a square, on one core, once for each
// line on stdin: bench/input.py lets it take turns with Pillow.
//
//   bench_pictures 224 photo.jpg ...

#include "bench/served.h"
#include "image/decode.h"
#include "image/resize.h"

#include <cstdlib>

int main(int count, char** arguments) {
  using namespace sightline;
  if (count < 3) return 2;
  const int side = std::atoi(arguments[1]);
  bench::serve([&] {
    for (int i = 2; i < count; ++i) resize_bicubic(read_image(arguments[i]), side, side);
  });
}
