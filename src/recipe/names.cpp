#include "recipe/names.h"

#include "base/error.h"
#include "recipe/parse.h"

namespace sightline {

std::string quoted_list(std::span<const std::string> names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += '"' + names[i] + '"';
  }
  return list;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> names) {
  const std::string near = nearest_name(name, names.data(), names.data() + names.size());
  return near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near);
}

std::string suggestion(std::string_view name, std::span<const std::string> names,
                       std::string_view what) {
  std::string near = did_you_mean(name, names);
  if (!near.empty()) return near;
  return fmt::format("; {}: {}", what, names.empty() ? "none" : quoted_list(names));
}

std::string_view name_of(MaskPolicy policy) { return enum_name(policy); }
std::string_view name_of(NumberType type) { return enum_name(type); }
std::string_view name_of(ConnectorKind kind) { return enum_name(kind); }

MaskPolicy mask_policy_named(std::string_view name) {
  const auto policy = enum_named<MaskPolicy>(name);
  check(policy.has_value(), "\"{}\" is no mask; it may be {}", name,
        quoted_list(enum_names<MaskPolicy>()));
  return *policy;
}

}  // namespace sightline
