#include "recipe/trainable.h"

#include "base/error.h"
#include "recipe/names.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace sightline {

namespace {

constexpr std::string_view kForms =
    "vision, vision.embeddings, vision.layers[8:], vision.norm, connector, language, "
    "language.embeddings, language.layers[:4], language.norm or language.head";

[[noreturn]] void bad_selector(std::string_view text, std::string_view why) {
  fail("\"{}\" selects nothing: {}; a selector is {}", text, why, kForms);
}

int64_t parse_bound(std::string_view text, std::string_view bound, int64_t if_empty) {
  if (bound.empty()) return if_empty;
  int64_t value = 0;
  const auto [end, code] = std::from_chars(bound.data(), bound.data() + bound.size(), value);
  if (code != std::errc() || end != bound.data() + bound.size()) {
    bad_selector(text, fmt::format("\"{}\" is not a whole number", bound));
  }
  return value;
}

// "layers", "layers[8:]" -> the selector's section and slice.
void parse_layers(std::string_view text, std::string_view section, Selector& selector) {
  selector.section = "layers";
  section.remove_prefix(std::string_view("layers").size());
  if (section.empty()) return;
  if (section.size() < 2 || section.front() != '[' || section.back() != ']') {
    bad_selector(text, "a range of layers is written layers[first:last]");
  }
  section = section.substr(1, section.size() - 2);
  const size_t colon = section.find(':');
  if (colon == std::string_view::npos) {
    bad_selector(text, "a range of layers has a colon: layer 3 alone is layers[3:4]");
  }
  selector.first = parse_bound(text, section.substr(0, colon), 0);
  selector.last = parse_bound(text, section.substr(colon + 1), INT64_MAX);
}

// The slice [first:last) of `count` layers, as Python resolves it.
struct Slice {
  int64_t first = 0;
  int64_t last = 0;
};

Slice resolve(const Selector& selector, int64_t count) {
  const auto bound = [count](int64_t value) {
    return std::clamp<int64_t>(value < 0 ? value + count : value, 0, count);
  };
  return {bound(selector.first), bound(selector.last)};
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return text;
}

Location layer_of(std::string_view number) {
  Location location{"layers"};
  const auto [end, code] =
      std::from_chars(number.data(), number.data() + number.size(), location.layer);
  SL_ASSERT(code == std::errc() && end != number.data() + number.size() && *end == '.',
            "\"{}\" does not begin with a layer's number", number);
  return location;
}

Location vision_location(std::string_view name) {
  if (name.starts_with("embeddings.")) return {"embeddings"};
  if (name.starts_with("layernorm.") || name.starts_with("post_layernorm.")) return {"norm"};
  for (const std::string_view layers : {"encoder.layer.", "encoder.layers."}) {  // vit, siglip
    if (name.starts_with(layers)) return layer_of(name.substr(layers.size()));
  }
  return {};
}

Location language_location(std::string_view name) {
  constexpr std::string_view kLayers = "model.layers.";
  if (name.starts_with("model.embed_tokens.")) return {"embeddings"};
  if (name.starts_with(kLayers)) return layer_of(name.substr(kLayers.size()));
  if (name.starts_with("model.norm.")) return {"norm"};
  if (name.starts_with("lm_head.")) return {"head"};
  return {};
}

}  // namespace

Selector parse_selector(std::string_view text) {
  Selector selector;
  const size_t dot = text.find('.');
  selector.part = text.substr(0, dot);
  const bool vision = selector.part == "vision";
  const bool language = selector.part == "language";
  if (!vision && !language && selector.part != "connector") {
    const std::string parts[] = {"vision", "connector", "language"};
    bad_selector(text, fmt::format("a model has no part \"{}\"{}", selector.part,
                                   did_you_mean(selector.part, parts)));
  }
  if (dot == std::string_view::npos) return selector;
  const std::string_view section = text.substr(dot + 1);
  if (selector.part == "connector") bad_selector(text, "the connector trains as a whole");
  if (section == "layers" || section.starts_with("layers[")) {
    parse_layers(text, section, selector);
  } else if (section == "embeddings" || section == "norm" || (language && section == "head")) {
    selector.section = section;
  } else {
    const std::string names[] = {"embeddings", "layers", "norm", "head"};
    bad_selector(text, fmt::format("{} has no section \"{}\"{}", selector.part, section,
                                   did_you_mean(section, {names, language ? 4u : 3u})));
  }
  return selector;
}

Location location_of(std::string_view parameter_name) {
  if (parameter_name.starts_with("vision.")) {
    return vision_location(without_prefix(parameter_name, "vision."));
  }
  if (parameter_name.starts_with("language.")) {
    return language_location(without_prefix(parameter_name, "language."));
  }
  return {};
}

Trainable::Trainable(std::span<const std::string> selectors, int64_t vision_layers,
                     int64_t language_layers)
    : vision_layers_(vision_layers), language_layers_(language_layers) {
  for (const std::string& text : selectors) {
    const Selector& selector = selectors_.emplace_back(parse_selector(text));
    if (selector.section != "layers") continue;
    const int64_t count = selector.part == "vision" ? vision_layers : language_layers;
    const Slice slice = resolve(selector, count);
    check(count > 0, "\"{}\" selects no layer: the model has no {} part", text, selector.part);
    check(slice.first < slice.last, "\"{}\" selects no layer: {} has {} layers, 0 to {}", text,
          selector.part, count, count - 1);
  }
}

bool Trainable::operator()(std::string_view parameter_name) const {
  const std::string_view part = parameter_name.substr(0, parameter_name.find('.'));
  const Location location = location_of(parameter_name);
  return std::ranges::any_of(selectors_, [&](const Selector& selector) {
    if (selector.part != part) return false;
    if (selector.section.empty()) return true;
    if (selector.section != location.section) return false;
    if (selector.section != "layers") return true;
    const Slice slice = resolve(selector, part == "vision" ? vision_layers_ : language_layers_);
    return slice.first <= location.layer && location.layer < slice.last;
  });
}

int64_t Trainable::lowest_vision_layer() const {
  int64_t lowest = vision_layers_ + 1;
  for (const Selector& selector : selectors_) {
    if (selector.part != "vision") continue;
    int64_t layer = 0;
    if (selector.section == "norm") layer = vision_layers_;
    if (selector.section == "layers") layer = resolve(selector, vision_layers_).first;
    lowest = std::min(lowest, layer);
  }
  return lowest;
}

std::string problem_with_augment(std::string_view data, std::string_view stage) {
  return fmt::format(
      "[data.{}] has \"augment\", and {} leaves the vision model's lower layers frozen: their "
      "features are stored once for each picture; train \"vision\" there, set store_features = "
      "false, or use data without augment",
      data, stage);
}

}  // namespace sightline
