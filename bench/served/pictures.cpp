// Decodes the pictures of the command line and resizes each to a square, on one core, once for each
// line on stdin: bench/input.py lets it take turns with Pillow.
//
//   bench_pictures 224 photo.jpg ...

#include "bench/served/served.h"
#include "image/decode.h"
#include "image/resize.h"

#include <cstdlib>
#include <limits>
#include <malloc.h>

int main(int count, char** arguments) {
  using namespace sightline;
  if (count < 3) return 2;
  mallopt(M_MMAP_MAX, 0);  // freed memory is kept, as in sightline itself (cli/main.cpp)
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  const int side = std::atoi(arguments[1]);
  bench::serve([&] {
    for (int i = 2; i < count; ++i) resize_bicubic(read_image(arguments[i]), side, side);
  });
}
