#include "recipe/settings.h"

#include "base/error.h"

#include <cctype>
#include <vector>

namespace sightline {

namespace {

std::vector<std::string> split(std::string_view key) {
  std::vector<std::string> parts;
  while (true) {
    const size_t dot = key.find('.');
    parts.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    key.remove_prefix(dot + 1);
  }
}

// Parses "value = TEXT" so that its nodes are placed at "--set KEY". A text that is no TOML and
// doesn't begin like an array, a table or a quoted string is taken as a string.
toml::table parse_value(std::string_view text, const std::string& place) {
  const bool one_line = text.find('\n') == std::string_view::npos;
  const bool structured = !text.empty() && std::string_view("[{\"'").find(text[0]) != text.npos;
  if (one_line && !text.empty()) {
    try {
      return toml::parse(fmt::format("value = {}", text), place);
    } catch (const toml::parse_error& error) {
      if (structured) fail("\"{}\" is not TOML: {}", text, error.description());
    }
  }
  // A parsed placeholder carries the place; assigning to it keeps it.
  toml::table wrapped = toml::parse("value = \"\"", place);
  wrapped["value"].as_string()->get() = text;
  return wrapped;
}

toml::table* add_table(toml::table& parent, const std::string& key, const std::string& place) {
  toml::table wrapped = toml::parse("value = {}", place);
  return parent.insert_or_assign(key, std::move(*wrapped["value"].as_table()))
      .first->second.as_table();
}

// lr = 1e-3 stands for lr = { base = 1e-3 }: --set stage.align.lr.vision=1e-4 goes beside it.
toml::table* widen_by_part(toml::table& stage, const std::string& key, const std::string& place) {
  if (key != "lr" && key != "weight_decay" && key != "dropout") return nullptr;
  toml::node* number = stage.get(key);
  if (number == nullptr || !number->is_number()) return nullptr;
  const double base = *number->value<double>();
  toml::table* table = add_table(stage, key, place);
  toml::table wrapped = toml::parse("value = 0.0", place);
  wrapped["value"].as_floating_point()->get() = base;
  table->insert_or_assign("base", std::move(*wrapped["value"].as_floating_point()));
  return table;
}

toml::table& stage_named(toml::table& root, const std::string& name) {
  std::vector<std::string> names;
  toml::array* stages = root["stage"].as_array();
  for (size_t i = 0; stages != nullptr && i < stages->size(); ++i) {
    toml::table* stage = stages->get_as<toml::table>(i);
    if (stage == nullptr) continue;
    names.push_back((*stage)["name"].value_or(std::string()));
    if (names.back() == name) return *stage;
  }
  fail("no [[stage]] is named \"{}\"{}", name, suggestion(name, names, "the stages are"));
}

// [data.NAME] and [task.NAME]: a setting changes one that is there.
toml::table& table_named(toml::table& root, const std::string& kind, const std::string& name) {
  std::vector<std::string> names;
  if (toml::table* tables = root[kind].as_table()) {
    for (auto&& [key, node] : *tables) {
      if (key.str() == name && node.is_table()) return *node.as_table();
      names.emplace_back(key.str());
    }
  }
  fail("there is no [{}.{}]{}", kind, name, suggestion(name, names, "the tables are"));
}

// The table that holds the last part of a key.
toml::table& holder_of(toml::table& root, const std::vector<std::string>& parts,
                       const std::string& place) {
  toml::table* table = &root;
  size_t next = 0;
  if (parts.size() > 2 && parts[0] == "stage") {
    table = &stage_named(root, parts[1]);
    next = 2;
  } else if (parts.size() > 2 && (parts[0] == "data" || parts[0] == "task")) {
    table = &table_named(root, parts[0], parts[1]);
    next = 2;
  } else if (parts[0] == "stage") {
    fail("a stage's key is set by the stage's name, as in stage.align.lr=1e-3");
  }
  for (; next + 1 < parts.size(); ++next) {
    const std::string& key = parts[next];
    toml::node* node = table->get(key);
    if (node == nullptr) {
      table = add_table(*table, key, place);
    } else if (node->is_table()) {
      table = node->as_table();
    } else {
      toml::table* by_part = widen_by_part(*table, key, place);
      if (by_part == nullptr) {
        fail("\"{}\" is {}, which has no key \"{}\"; set it whole, as in {}={{ ... }}", key,
             described(*node), parts[next + 1], key);
      }
      table = by_part;
    }
  }
  return *table;
}

void apply_one(toml::table& root, std::string_view setting) {
  const size_t equals = setting.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    fail("a setting is written KEY=VALUE, as in --set stage.align.lr=2e-3");
  }
  const std::string key(setting.substr(0, equals));
  const std::vector<std::string> parts = split(key);
  for (const std::string& part : parts) {
    if (!is_plain_name(part)) fail("\"{}\" is no key: a key is NAME.NAME... without spaces", key);
  }
  const std::string place = std::string(kSettingPrefix) + key;
  toml::table value = parse_value(setting.substr(equals + 1), place);
  toml::table& holder = holder_of(root, parts, place);
  value.get("value")->visit(
      [&](auto& node) { holder.insert_or_assign(parts.back(), std::move(node)); });
}

}  // namespace

void apply_settings(toml::table& root, std::span<const std::string> settings, Problems& problems) {
  for (const std::string& setting : settings) {
    try {
      apply_one(root, setting);
    } catch (const Error& error) {
      toml::source_region at;
      at.path = std::make_shared<const std::string>(std::string(kSettingPrefix) +
                                                    setting.substr(0, setting.find('=')));
      problems.add(at, error.what());
    }
  }
}

}  // namespace sightline
