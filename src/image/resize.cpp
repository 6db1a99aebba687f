#include "image/resize.h"

#include "base/error.h"

#include <algorithm>
#include <cmath>

// The passes are compiled twice, and the machine's own instructions chosen when the program starts:
// SSE2 has no 32-bit product.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define SIGHTLINE_WIDE_VECTORS [[gnu::target_clones("avx2", "default")]]
#else
#define SIGHTLINE_WIDE_VECTORS
#endif

namespace sightline {

namespace {

constexpr int kFractionBits = 32 - 8 - 2;  // of a weight; sums of 8-bit pixels need two spare bits
constexpr int kHalf = 1 << (kFractionBits - 1);

double bilinear_weight(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double bicubic_weight(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

// What each position of the target is made of: `count` source positions from `first`.
struct Window {
  int first, count;
};

struct Weights {
  std::vector<Window> windows;  // one a target position
  std::vector<int> values;      // position * stride + tap, fixed point
  int stride = 0;
};

// The order of these operations is Pillow's: its roundings decide the last bit.
Weights make_weights(int source, const Range& target, Filter filter) {
  const auto weight_at = filter == Filter::bicubic ? bicubic_weight : bilinear_weight;
  const double scale = static_cast<double>(source) / static_cast<double>(target.full);
  const double widened = std::max(scale, 1.0);
  const double support = (filter == Filter::bicubic ? 2.0 : 1.0) * widened;
  const double inverse = 1.0 / widened;

  Weights weights;
  weights.stride = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, source);
  weights.windows.reserve(target.count);
  weights.values.resize(static_cast<size_t>(target.count) * weights.stride);
  std::vector<double> exact(weights.stride);
  for (int i = 0; i < target.count; ++i) {
    const double center = (static_cast<double>(target.first + i) + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), source) - first;
    double sum = 0;
    for (int tap = 0; tap < count; ++tap) {
      exact[tap] = weight_at((tap + first - center + 0.5) * inverse);
      sum += exact[tap];
    }
    int* fixed = &weights.values[static_cast<size_t>(i) * weights.stride];
    for (int tap = 0; tap < count; ++tap) {
      const double weight = (sum != 0 ? exact[tap] / sum : exact[tap]) * (1 << kFractionBits);
      fixed[tap] = static_cast<int>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    weights.windows.push_back({first, count});
  }
  return weights;
}

// Loops over lanes have a constant length, so that the compiler turns them into vectors.
constexpr int round_to_byte(int sum) { return std::clamp(sum >> kFractionBits, 0, 255); }

constexpr int kBlockRows = 16;
constexpr int kBlockLanes = 3 * kBlockRows;

// Rows beside each other: block[x][channel * kBlockRows + row].
void gather_rows(const uint8_t* rgb, size_t row_bytes, int rows, int width, uint8_t* block) {
  for (int row = 0; row < rows; ++row) {
    const uint8_t* source = rgb + row * row_bytes;
    uint8_t* target = block + row;
    for (int x = 0; x < width; ++x, source += 3, target += kBlockLanes) {
      target[0] = source[0];
      target[kBlockRows] = source[1];
      target[2 * kBlockRows] = source[2];
    }
  }
}

// The way back.
void scatter_rows(const uint8_t* block, int rows, int width, uint8_t* rgb) {
  for (int row = 0; row < rows; ++row) {
    const uint8_t* source = block + row;
    for (int x = 0; x < width; ++x, source += kBlockLanes, rgb += 3) {
      rgb[0] = source[0];
      rgb[1] = source[kBlockRows];
      rgb[2] = source[2 * kBlockRows];
    }
  }
}

// One target column of a block: all channels of all its rows at once.
SIGHTLINE_WIDE_VECTORS
void blend_columns(const uint8_t* block, const Weights& weights, int width, uint8_t* blended) {
  for (int x = 0; x < width; ++x, blended += kBlockLanes) {
    const Window window = weights.windows[x];
    const int* weight = &weights.values[static_cast<size_t>(x) * weights.stride];
    const uint8_t* pixels = block + static_cast<size_t>(window.first) * kBlockLanes;
    int sums[kBlockLanes];
    for (int i = 0; i < kBlockLanes; ++i) sums[i] = kHalf;
    for (int tap = 0; tap < window.count; ++tap, pixels += kBlockLanes) {
      for (int i = 0; i < kBlockLanes; ++i) sums[i] += pixels[i] * weight[tap];
    }
    for (int i = 0; i < kBlockLanes; ++i) {
      blended[i] = static_cast<uint8_t>(round_to_byte(sums[i]));
    }
  }
}

// The rows [first_row, last_row) of the image, resized horizontally.
Image resize_width(const Image& image, int first_row, int last_row, const Weights& weights) {
  const int width = static_cast<int>(weights.windows.size());
  Image result = make_image(width, last_row - first_row);
  const size_t row_bytes = static_cast<size_t>(image.width) * 3;
  // Lanes past the last row hold the block before's: computed and never read.
  std::vector<uint8_t> block(static_cast<size_t>(image.width) * kBlockLanes);
  std::vector<uint8_t> blended(static_cast<size_t>(width) * kBlockLanes);
  for (int y = 0; y < result.height; y += kBlockRows) {
    const int rows = std::min(kBlockRows, result.height - y);
    gather_rows(&image.rgb[(first_row + y) * row_bytes], row_bytes, rows, image.width,
                block.data());
    blend_columns(block.data(), weights, width, blended.data());
    scatter_rows(blended.data(), rows, width, &result.rgb[static_cast<size_t>(y) * width * 3]);
  }
  return result;
}

constexpr int kStripLanes = 64;

// A strip of kStripLanes bytes of one target row, out of the source rows of its window.
SIGHTLINE_WIDE_VECTORS
void blend_rows(const uint8_t* source, size_t row_bytes, const int* weight, int count,
                uint8_t* target) {
  int sums[kStripLanes];
  for (int i = 0; i < kStripLanes; ++i) sums[i] = kHalf;
  for (int tap = 0; tap < count; ++tap, source += row_bytes) {
    for (int i = 0; i < kStripLanes; ++i) sums[i] += source[i] * weight[tap];
  }
  for (int i = 0; i < kStripLanes; ++i) target[i] = static_cast<uint8_t>(round_to_byte(sums[i]));
}

void blend_row_plainly(const uint8_t* source, size_t row_bytes, const int* weight, int count,
                       size_t begin, uint8_t* target) {
  for (size_t i = begin; i < row_bytes; ++i) {
    int sum = kHalf;
    for (int tap = 0; tap < count; ++tap) sum += source[tap * row_bytes + i] * weight[tap];
    target[i] = static_cast<uint8_t>(round_to_byte(sum));
  }
}

// The image resized vertically; its first row is row `first_row` of the weights' source.
Image resize_height(const Image& image, int first_row, const Weights& weights) {
  const int height = static_cast<int>(weights.windows.size());
  Image result = make_image(image.width, height);
  const size_t row_bytes = static_cast<size_t>(image.width) * 3;
  const size_t whole_strips = row_bytes - row_bytes % kStripLanes;
  for (int y = 0; y < height; ++y) {
    const Window window = weights.windows[y];
    const int* weight = &weights.values[static_cast<size_t>(y) * weights.stride];
    const uint8_t* source = &image.rgb[(window.first - first_row) * row_bytes];
    uint8_t* target = &result.rgb[y * row_bytes];
    for (size_t i = 0; i < whole_strips; i += kStripLanes) {
      blend_rows(source + i, row_bytes, weight, window.count, target + i);
    }
    blend_row_plainly(source, row_bytes, weight, window.count, whole_strips, target);
  }
  return result;
}

// Since release 13 Pillow starts with the vertical pass where that cuts away much more; the
// rounding between the passes makes the order visible.
bool goes_by_rows_first(const Image& image, const Range& across, const Range& down) {
  const int64_t rows_cut = image.height - down.full;
  const int64_t columns_cut = image.width - across.full;
  return rows_cut > 0 && rows_cut > 2 * columns_cut;
}

}  // namespace

std::string_view filter_name(Filter filter) {
  return filter == Filter::bicubic ? "bicubic" : "bilinear";
}

Image resize_part(const Image& image, const Range& across, const Range& down, Filter filter) {
  SL_ASSERT(image.width > 0 && image.height > 0 &&
                image.rgb.size() == size_t{3} * image.width * image.height,
            "{} x {} pixels of {} bytes", image.width, image.height, image.rgb.size());
  for (const Range& range : {across, down}) {
    SL_ASSERT(range.first >= 0 && range.count > 0 && range.first + range.count <= range.full,
              "{} pixels from {} of {}", range.count, range.first, range.full);
  }
  const bool keeps_width = across.full == image.width && across.count == image.width;
  const bool keeps_height = down.full == image.height && down.count == image.height;
  if (keeps_width && keeps_height) return image;
  const Weights by_row = make_weights(image.height, down, filter);
  if (keeps_width) return resize_height(image, 0, by_row);
  const Weights by_column = make_weights(image.width, across, filter);
  if (keeps_height) return resize_width(image, 0, image.height, by_column);
  if (goes_by_rows_first(image, across, down)) {
    return resize_width(resize_height(image, 0, by_row), 0, down.count, by_column);
  }
  const int first_row = by_row.windows.front().first;
  const int last_row = by_row.windows.back().first + by_row.windows.back().count;
  return resize_height(resize_width(image, first_row, last_row, by_column), first_row, by_row);
}

}  // namespace sightline
