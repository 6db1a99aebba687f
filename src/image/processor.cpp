#include "image/processor.h"

#include "base/error.h"
#include "image/pad.h"

#include <algorithm>

#include <fmt/ranges.h>

namespace sightline {

namespace {

const char* fit_name(Processor::Fit fit) {
  switch (fit) {
    case Processor::Fit::squash:
      return "squash";
    case Processor::Fit::crop:
      return "crop";
    case Processor::Fit::pad:
      return "pad";
  }
  SL_ASSERT(false, "fit {}", static_cast<int>(fit));
}

Colour mean_colour(const Processor& processor) {
  Colour colour;
  for (size_t c = 0; c < 3; ++c) {
    colour[c] = static_cast<uint8_t>(std::clamp(processor.mean[c] * 255.0, 0.0, 255.0));
  }
  return colour;
}

}  // namespace

Image apply(const Processor& processor, const Image& image) {
  const int size = processor.size;
  if (processor.fit == Processor::Fit::squash) return resize(image, size, size, processor.filter);
  if (processor.fit == Processor::Fit::pad) {
    return pad_and_resize(image, mean_colour(processor), size, processor.filter);
  }
  const auto centre_of = [&](int side, int other_side) {
    const int64_t full = side > other_side ? int64_t{size} * side / other_side : size;
    return Range{full, (full - size) / 2, size};
  };
  return resize_part(image, centre_of(image.width, image.height),
                     centre_of(image.height, image.width), processor.filter);
}

void normalise(const Processor& processor, const Image& image, std::span<float> values) {
  SL_ASSERT(values.size() == image.rgb.size() && !values.empty(), "{} values for {} bytes",
            values.size(), image.rgb.size());
  const size_t pixels = image.rgb.size() / 3;
  for (size_t channel = 0; channel < 3; ++channel) {
    std::array<float, 256> value_of;
    for (int byte = 0; byte < 256; ++byte) {
      const double centred = byte / 255.0 - processor.mean[channel];
      value_of[byte] = static_cast<float>(centred / processor.std_dev[channel]);
    }
    const uint8_t* source = &image.rgb[channel];
    float* target = &values[channel * pixels];
    for (size_t i = 0; i < pixels; ++i) target[i] = value_of[source[i * 3]];
  }
}

std::string describe(const Processor& processor) {
  return fmt::format("{} {} {} mean {} std {}", fit_name(processor.fit), processor.size,
                     filter_name(processor.filter), fmt::join(processor.mean, ","),
                     fmt::join(processor.std_dev, ","));
}

}  // namespace sightline
