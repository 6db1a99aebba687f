#pragma once
// --set KEY=VALUE, applied to the parsed TOML before any of it is read.

#include "recipe/table_reader.h"
#include "recipe/toml.h"

#include <span>
#include <string>

namespace sightline {

// A value's nodes carry "--set KEY" as their source, so that later mistakes name the setting.
void apply_settings(toml::table& root, std::span<const std::string> settings, Problems& problems);

}  // namespace sightline
