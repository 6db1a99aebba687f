#pragma once
// How a vision model wants its pictures: the square side, how a picture becomes that square, and
// the normalisation of its pixels.

#include "base/json.h"
#include "image/image.h"
#include "image/resize.h"

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace sightline {

struct Processor {
  enum class Fit {
    squash,  // resized to size x size, whatever the picture's shape
    crop,    // shorter side resized to `size`, then the centre square cut out
    pad,     // made square by bars of the mean colour, as LLaVA does, then resized
  };
  Fit fit = Fit::squash;
  int size = 224;  // pixels, at least 1
  std::array<float, 3> mean = {0.5f, 0.5f, 0.5f};
  std::array<float, 3> std_dev = {0.5f, 0.5f, 0.5f};  // above 0
  Filter filter = Filter::bicubic;

  bool operator==(const Processor&) const = default;
};

// A picture of size x size. Roundings are those of Hugging Face's transformers: under `crop` the
// longer side becomes floor(size * long / short) and the square starts at floor((long - size) / 2);
// under `pad` the bars' colour is floor(255 * mean).
Image apply(const Processor& processor, const Image& image);

// values[(channel * height + y) * width + x] = (pixel / 255 - mean) / std_dev, rounded to float
// once from double. Takes an image of any size; `values` must hold its 3 * width * height floats.
void normalise(const Processor& processor, const Image& image, std::span<float> values);

// The whole processor in one line, for content keys: equal exactly where processors are equal.
std::string describe(const Processor& processor);

// From and to Hugging Face's preprocessor_config.json; what processor_from_json(to_json(p)) gives
// equals p (under `pad` that is a LlavaImageProcessor's). Error, naming `source` and the key: a
// setting that we cannot follow exactly (no resize, another filter, a rectangle, a crop smaller
// than the resized side, another's padding, splitting).
Processor processor_from_json(const Json& config, std::string_view source);
Json to_json(const Processor& processor);

}  // namespace sightline
