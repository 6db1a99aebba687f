#include "text/components.h"

#include "base/error.h"
#include "text/regex.h"

namespace sightline {

void unsupported_component(std::string_view component, std::string_view type,
                           std::string_view known, std::string_view source) {
  fail("{}: the {} is of the type \"{}\", which is not supported (known: {})", source, component,
       type, known);
}

std::string string_pattern(const Json& config, std::string_view component,
                           std::string_view source) {
  const auto pattern = json_get<Json>(config, "pattern", source);
  if (pattern.contains("Regex")) {
    unsupported_component(component, "Replace of a Regex", "Replace of a String", source);
  }
  return json_get<std::string>(pattern, "String", source);
}

std::string regex_pattern(const Json& config, std::string_view source) {
  const auto pattern = json_get<Json>(config, "pattern", source);
  if (pattern.contains("String")) {
    return Regex::quote(json_get<std::string>(pattern, "String", source));
  }
  return json_get<std::string>(pattern, "Regex", source);
}

}  // namespace sightline
