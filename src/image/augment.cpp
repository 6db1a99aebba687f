#include "image/augment.h"

#include "base/error.h"

#include <algorithm>
#include <cmath>

namespace sightline {

namespace {

// Pillow's Image.blend of two bytes: cut to whole numbers, not rounded, and clipped.
uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

// Pillow's grey of a colour (ITU-R 601-2, 16 fractional bits).
int grey_of(const uint8_t* rgb) {
  return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

void change_brightness(Image& image, float factor) {
  for (uint8_t& byte : image.rgb) byte = blend(0, byte, factor);
}

// Away from, or towards, the mean grey.
void change_contrast(Image& image, float factor) {
  int64_t sum = 0;
  for (size_t i = 0; i < image.rgb.size(); i += 3) sum += grey_of(&image.rgb[i]);
  const size_t pixels = image.rgb.size() / 3;
  const double mean = static_cast<double>(sum) / static_cast<double>(pixels);
  const int grey = static_cast<int>(mean + 0.5);
  for (uint8_t& byte : image.rgb) byte = blend(grey, byte, factor);
}

// Away from, or towards, each pixel's own grey.
void change_saturation(Image& image, float factor) {
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    const int grey = grey_of(&image.rgb[i]);
    for (size_t c = 0; c < 3; ++c) image.rgb[i + c] = blend(grey, image.rgb[i + c], factor);
  }
}

Image cut_out(const Image& image, const Augmentation& part) {
  Image result = make_image(part.width, part.height);
  for (int y = 0; y < part.height; ++y) {
    const size_t source = static_cast<size_t>(part.top + y) * image.width;
    for (int x = 0; x < part.width; ++x) {
      const int from = part.left + (part.mirrored ? part.width - 1 - x : x);
      std::copy_n(&image.rgb[(source + from) * 3], 3,
                  &result.rgb[(static_cast<size_t>(y) * part.width + x) * 3]);
    }
  }
  return result;
}

}  // namespace

Augmentation draw_augmentation(const AugmentOptions& options, int width, int height, Rng& rng) {
  SL_ASSERT(options.crop > 0 && options.crop <= 1, "a crop of {}", options.crop);
  const double area = options.crop + (1 - options.crop) * rng.uniform();
  const double shape = std::exp((2 * rng.uniform() - 1) * std::log(4.0 / 3));
  const double share = options.crop < 1 ? std::clamp(std::sqrt(area * shape), area, 1.0) : 1.0;
  const auto part_of = [](double share_of_side, int side) {
    return std::clamp(static_cast<int>(std::lround(share_of_side * side)), 1, side);
  };
  Augmentation drawn;
  drawn.width = part_of(share, width);
  drawn.height = part_of(options.crop < 1 ? area / share : 1.0, height);
  drawn.left = static_cast<int>(rng.below(width - drawn.width + 1));
  drawn.top = static_cast<int>(rng.below(height - drawn.height + 1));
  drawn.mirrored = rng.uniform() < options.flip;
  for (double* factor : {&drawn.brightness, &drawn.contrast, &drawn.saturation}) {
    *factor = 1 + options.colour * (2 * rng.uniform() - 1);
  }
  return drawn;
}

Image augment(const Image& image, const Augmentation& augmentation) {
  Image result = cut_out(image, augmentation);
  const auto changes = [](double factor) { return factor != 1.0; };
  if (changes(augmentation.brightness)) {
    change_brightness(result, static_cast<float>(augmentation.brightness));
  }
  if (changes(augmentation.contrast)) {
    change_contrast(result, static_cast<float>(augmentation.contrast));
  }
  if (changes(augmentation.saturation)) {
    change_saturation(result, static_cast<float>(augmentation.saturation));
  }
  return result;
}

}  // namespace sightline
