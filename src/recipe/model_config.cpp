// The connector's config, which is ours alone and stands in sightline.json.

#include "recipe/model_config.h"

#include "recipe/config_reader.h"

namespace sightline {

std::string what_is_wrong(const ConnectorConfig& connector, const VisionConfig& vision) {
  const int64_t side = vision.patches_per_side();
  if (!connector.has_factor() || side % connector.factor == 0) return "";
  return fmt::format(
      "the {} connector's factor {} does not divide the {} patches on a picture's side "
      "(image_size {} / patch_size {})",
      enum_name(connector.kind), connector.factor, side, vision.image_size, vision.patch_size);
}

ConnectorConfig connector_config_from_json(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  const std::string kind = json_get<std::string>(json, "kind", source);
  ConnectorConfig connector;
  const auto found = enum_named<ConnectorKind>(kind);
  check(found.has_value(), "{}: \"kind\" is \"{}\"; it may be {}", source, kind,
        quoted_list(enum_names<ConnectorKind>()));
  connector.kind = *found;
  connector.factor = connector.has_factor() ? config.size_or("factor", 2) : 1;
  return connector;
}

Json to_json(const ConnectorConfig& config) {
  return Json{{"kind", std::string(enum_name(config.kind))},
              {"factor", config.has_factor() ? config.factor : 1}};
}

}  // namespace sightline
