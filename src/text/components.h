#pragma once
// What the readers of a tokenizer.json's components (normalizer, pre_tokenizer, decoder) share.

#include "base/json.h"

#include <string>
#include <string_view>

namespace sightline {

[[noreturn]] void unsupported_component(std::string_view component, std::string_view type,
                                        std::string_view known, std::string_view source);

// config["pattern"], which must be {"String": ...}.
std::string string_pattern(const Json& config, std::string_view component, std::string_view source);

// config["pattern"] as a regular expression, from {"String": ...} or {"Regex": ...}.
std::string regex_pattern(const Json& config, std::string_view source);

}  // namespace sightline
