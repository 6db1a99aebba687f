#pragma once
// One Hugging Face config.json, read with checks: each fault is an Error that names the file and
// the key.

#include "base/error.h"
#include "base/json.h"
#include "recipe/config_check.h"
#include "recipe/names.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace sightline {

// Neither the JSON nor the name of its source is copied: both must outlive this.
class ConfigReader {
 public:
  ConfigReader(const Json& json, const std::string& source) : json_(json), source_(source) {
    check(json.is_object(), "{}: is not a JSON object, and a config.json is expected", source);
  }

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

  // nlohmann would cut 1.5 to 1; a size is a whole number or an error.
  int64_t size(const char* key) const {
    const Json& value = present(key);
    check(value.is_number_integer(), "{}: \"{}\" is {}, and a whole number is expected", source_,
          key, value.dump().substr(0, 80));
    return in_range(key, value.get<int64_t>());
  }
  int64_t size_or(const char* key, int64_t fallback) const {
    return has(key) ? size(key) : fallback;
  }

  // image_size and patch_size may be [side, side].
  int64_t side(const char* key) const {
    const Json& value = present(key);
    if (!value.is_array()) return size(key);
    const bool square = value.size() == 2 && value[0].is_number_integer() && value[0] == value[1];
    check(square, "{}: \"{}\" is {}, and only squares are supported: [224, 224] or 224", source_,
          key, value.dump().substr(0, 80));
    return in_range(key, value[0].get<int64_t>());
  }

  double positive_or(const char* key, double fallback) const {
    return has(key) ? positive_in(json_[key], key) : fallback;
  }
  double positive_in(const Json& value, const char* key) const {
    check(value.is_number() && value.get<double>() > 0.0,
          "{}: \"{}\" is {}, and a number above 0 is expected", source_, key,
          value.dump().substr(0, 80));
    return value.get<double>();
  }

  bool truth_or(const char* key, bool fallback) const {
    if (!has(key)) return fallback;
    check(json_[key].is_boolean(), "{}: \"{}\" is {}, and true or false is expected", source_, key,
          json_[key].dump().substr(0, 80));
    return json_[key].get<bool>();
  }

  // The one value of `key` that the model can do; absent means that value.
  void only(const char* key, const Json& value) const {
    if (!has(key) || json_[key] == value) return;
    fail("{}: \"{}\" is {}, and this program can only do {}: choose another model", source_, key,
         json_[key].dump().substr(0, 80), value.dump());
  }
  void never(const char* key) const {
    if (!has(key)) return;
    fail("{}: \"{}\" is {}, which this program cannot do: choose another model", source_, key,
         json_[key].dump().substr(0, 80));
  }
  // The place of "model_type" among the known ones.
  size_t model_type(std::initializer_list<std::string> known) const {
    const std::string found = json_get<std::string>(json_, "model_type", source_);
    const auto at = std::ranges::find(known, found);
    check(at != known.end(), "{}: \"model_type\" is \"{}\", and {} is expected here", source_,
          found, quoted_list(std::vector<std::string>(known)));
    return static_cast<size_t>(at - known.begin());
  }
  void sound(const std::string& problem) const {
    check(problem.empty(), "{}: {}", source_, problem);
  }

  const Json& json() const { return json_; }
  const std::string& source() const { return source_; }

 private:
  const Json& present(const char* key) const {
    if (!has(key)) json_missing(source_, key);
    return json_[key];
  }
  int64_t in_range(const char* key, int64_t value) const {
    check(value >= 1 && value <= kLargestSize, "{}: \"{}\" is {}, and it must be from 1 to {}",
          source_, key, value, kLargestSize);
    return value;
  }

  const Json& json_;
  const std::string& source_;
};

}  // namespace sightline
