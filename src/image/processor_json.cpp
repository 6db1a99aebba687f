// Processor from and to Hugging Face's preprocessor_config.json.
// The keys are those of transformers' ViT, CLIP and SigLIP image processors.

#include "base/error.h"
#include "image/processor.h"

#include <cmath>

namespace sightline {

namespace {

// PIL.Image.Resampling
constexpr int kPillowBilinear = 2;
constexpr int kPillowBicubic = 3;

// One config file, with reads whose errors name it.
class Reader {
 public:
  Reader(const Json& config, std::string_view source) : config_(config), source_(source) {
    check(config.is_object(), "{}: must hold a JSON object", source);
  }

  bool has(const char* key) const { return config_.contains(key) && !config_[key].is_null(); }

  template <class T>
  T get_or(const char* key, T fallback) const {
    return json_get_or<T>(config_, key, fallback, source_);
  }

  template <class... Args>
  [[noreturn]] void refuse(const char* key, fmt::format_string<Args...> why, Args&&... args) const {
    const std::string value = config_.contains(key) ? config_[key].dump() : "absent";
    fail("{}: {} is {}: {}", source_, key, value, fmt::format(why, std::forward<Args>(args)...));
  }

  // A square's side from N, {"height": N, "width": N} or {"shortest_edge": N}.
  int side(const char* key) const {
    const Json& value = config_[key];
    Json side = value;
    if (value.is_object()) {
      if (value.contains("shortest_edge")) {
        if (!value.value("longest_edge", Json()).is_null()) {
          refuse(key, "a bounded longest_edge is not supported");
        }
        side = value["shortest_edge"];
      } else {
        side = value.value("height", Json());
        if (side != value.value("width", Json())) refuse(key, "only a square is supported");
      }
    }
    if (!side.is_number_integer() || side < 1 || side > kMaxSide) {
      refuse(key, "must give a whole number of pixels from 1 to {}", kMaxSide);
    }
    return side.get<int>();
  }

  std::array<float, 3> three(const char* key) const {
    if (!has(key)) refuse(key, "must list three numbers, for red, green and blue");
    const Json& value = config_[key];
    if (!value.is_array() || value.size() != 3) refuse(key, "must list three numbers");
    std::array<float, 3> numbers{};
    for (size_t i = 0; i < 3; ++i) {
      if (!value[i].is_number()) refuse(key, "must list three numbers");
      numbers[i] = value[i].get<float>();
      if (!std::isfinite(numbers[i])) refuse(key, "must list three finite numbers");
    }
    return numbers;
  }

  // What "do_pad" means differs between processors: LLaVA's makes a square by the mean colour.
  bool pads_to_square() const {
    return get_or<std::string>("image_processor_type", "").starts_with("LlavaImageProcessor") &&
           get_or("do_pad", false);
  }

  // Steps that we do not know but that the file asks for.
  void refuse_unknown_steps() const {
    for (const auto& [key, value] : config_.items()) {
      const bool known = key == "do_resize" || key == "do_center_crop" || key == "do_rescale" ||
                         key == "do_normalize" || key == "do_convert_rgb" ||
                         (key == "do_pad" && pads_to_square());
      const bool step = key.starts_with("do_") && value == true;
      const bool changes_size = key == "crop_pct" && !value.is_null();
      if ((step && !known) || changes_size) refuse(key.c_str(), "this step is not supported");
    }
  }

 private:
  static constexpr int kMaxSide = 8192;

  const Json& config_;
  std::string_view source_;
};

Filter read_filter(const Reader& reader) {
  if (!reader.has("resample")) {
    reader.refuse("resample",
                  "its default differs between models; write {} (bilinear) or {} "
                  "(bicubic)",
                  kPillowBilinear, kPillowBicubic);
  }
  const int resample = reader.get_or("resample", 0);
  if (resample == kPillowBilinear) return Filter::bilinear;
  if (resample == kPillowBicubic) return Filter::bicubic;
  reader.refuse("resample", "only {} (bilinear) and {} (bicubic) are supported", kPillowBilinear,
                kPillowBicubic);
}

// {"shortest_edge": N} crops; a plain N does where a crop is asked for.
Processor::Fit read_fit(const Reader& reader, const Json& size, int side) {
  if (reader.pads_to_square()) {
    if (reader.get_or("do_center_crop", false) && reader.side("crop_size") != side) {
      reader.refuse("crop_size", "must equal the side that size gives ({})", side);
    }
    return Processor::Fit::pad;
  }
  const bool by_shorter_side = size.is_object() && size.contains("shortest_edge");
  const bool crops = reader.get_or("do_center_crop", by_shorter_side);
  if (!crops) {
    if (by_shorter_side) {
      reader.refuse("do_center_crop",
                    "without it pictures would keep their shapes (size gives a "
                    "shortest_edge); only squares are supported");
    }
    return Processor::Fit::squash;
  }
  if (!reader.has("crop_size")) reader.refuse("crop_size", "do_center_crop needs it");
  if (reader.side("crop_size") != side) {
    reader.refuse("crop_size", "must equal the side that size gives ({})", side);
  }
  const bool squashed = size.is_object() && !by_shorter_side;
  return squashed ? Processor::Fit::squash : Processor::Fit::crop;
}

// 0.48145466f is written as 0.48145466 and not as the double 0.48145467042922974.
Json shortest_decimals(const std::array<float, 3>& numbers) {
  Json list = Json::array();
  for (const float number : numbers) list.push_back(Json::parse(fmt::format("{}", number)));
  return list;
}

}  // namespace

Processor processor_from_json(const Json& config, std::string_view source) {
  const Reader reader(config, source);
  reader.refuse_unknown_steps();
  if (!reader.get_or("do_resize", true)) {
    reader.refuse("do_resize", "a vision model needs pictures of one size");
  }
  if (!reader.has("size")) reader.refuse("size", "must give the side of the square in pixels");
  const double factor = reader.get_or("rescale_factor", 1.0 / 255);
  if (!reader.get_or("do_rescale", true)) reader.refuse("do_rescale", "must be true");
  if (std::abs(factor * 255 - 1) > 1e-6) reader.refuse("rescale_factor", "only 1/255 is supported");

  Processor processor;
  processor.size = reader.side("size");
  processor.fit = read_fit(reader, config["size"], processor.size);
  processor.filter = read_filter(reader);
  processor.mean = {0, 0, 0};
  processor.std_dev = {1, 1, 1};
  if (reader.get_or("do_normalize", true)) {
    processor.mean = reader.three("image_mean");
    processor.std_dev = reader.three("image_std");
    for (const float std_dev : processor.std_dev) {
      if (std_dev <= 0) reader.refuse("image_std", "must be above 0");
    }
  }
  return processor;
}

Json to_json(const Processor& processor) {
  const bool crops = processor.fit == Processor::Fit::crop;
  const Json square = {{"height", processor.size}, {"width", processor.size}};
  Json config;
  if (processor.fit == Processor::Fit::pad) {
    config["image_processor_type"] = "LlavaImageProcessor";
    config["do_pad"] = true;
  }
  config["do_resize"] = true;
  config["size"] = crops ? Json::object({{"shortest_edge", processor.size}}) : square;
  config["resample"] = processor.filter == Filter::bicubic ? kPillowBicubic : kPillowBilinear;
  config["do_center_crop"] = crops;
  if (crops) config["crop_size"] = square;
  config["do_rescale"] = true;
  config["rescale_factor"] = 1.0 / 255;
  config["do_normalize"] = true;
  config["image_mean"] = shortest_decimals(processor.mean);
  config["image_std"] = shortest_decimals(processor.std_dev);
  return config;
}

}  // namespace sightline
