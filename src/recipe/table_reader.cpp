#include "recipe/table_reader.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <tuple>

namespace sightline {

namespace {

bool from_setting(const toml::source_region& at) {
  return at.path && at.path->starts_with(kSettingPrefix);
}

}  // namespace

std::string Problems::where(const toml::source_region& at) const {
  if (from_setting(at)) return *at.path;
  return fmt::format("{}:{}:{}", file_, at.begin.line, at.begin.column);
}

void Problems::add(const toml::source_region& at, std::string message) {
  problems_.push_back({at, std::move(message)});
}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::vector<Problem> sorted = problems_;
  std::ranges::stable_sort(sorted, {}, [](const Problem& problem) {
    const bool setting = from_setting(problem.at);
    const auto begin = setting ? toml::source_position{} : problem.at.begin;
    return std::tuple(!setting, begin.line, begin.column);
  });
  std::string text;
  for (const Problem& problem : sorted) {
    if (!text.empty()) text += '\n';
    text += where(problem.at) + ": " + problem.message;
  }
  throw UsageError(text);
}

bool NumberRange::holds(double value) const {
  const bool above_low = low == End::open ? value > least : value >= least;
  const bool below_high = high == End::open ? value < most : value <= most;
  return std::isfinite(value) && above_low && below_high;
}

std::string NumberRange::text() const {
  const bool bounded = std::isfinite(most);
  if (!std::isfinite(least)) return "a finite number";
  if (bounded && low == End::closed && high == End::closed) {
    return fmt::format("from {} to {}", least, most);
  }
  std::string text = fmt::format("{} {}", low == End::open ? "above" : "at least", least);
  if (bounded) text += fmt::format(" and {} {}", high == End::open ? "below" : "at most", most);
  return text;
}

std::string described(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    const std::string& value = text->get();
    return fmt::format("the string \"{}{}\"", value.substr(0, 60), value.size() > 60 ? "..." : "");
  }
  if (const auto* number = node.as_integer()) return fmt::format("the integer {}", number->get());
  if (const auto* number = node.as_floating_point()) {
    return fmt::format("the number {}", number->get());
  }
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  return "a date or a time";
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_';
  });
}

const toml::node* TableReader::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  return table_->get(key);
}

void TableReader::mismatch(std::string_view key, const toml::node& node,
                           std::string_view expected) {
  problems_->add(node.source(), fmt::format("\"{}\" in {} is {}, and {} is expected", key, title_,
                                            described(node), expected));
}

bool TableReader::in_range(std::string_view key, const toml::node& node, double value,
                           const NumberRange& range) {
  if (range.holds(value)) return true;
  problems_->add(node.source(), fmt::format("\"{}\" in {} is {}, and it must be {}", key, title_,
                                            value, range.text()));
  return false;
}

std::optional<std::string> TableReader::string_of(std::string_view key, const toml::node& node) {
  const auto* text = node.as_string();
  if (text == nullptr) {
    mismatch(key, node, "a string");
    return std::nullopt;
  }
  try {
    return expand_environment(text->get());
  } catch (const Error& error) {
    if (!checks_paths()) return text->get();
    std::string mend;
    if (std::string_view(error.what()).find("SIGHTLINE_DATA") != std::string_view::npos) {
      mend = ", as in: export SIGHTLINE_DATA=/folder/of/the/data";
    }
    problems_->add(node.source(),
                   fmt::format("\"{}\" in {}: {}{}", key, title_, error.what(), mend));
    return std::nullopt;
  }
}

void TableReader::read(std::string_view key, std::string& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (auto text = string_of(key, *node)) value = std::move(*text);
}

void TableReader::read(std::string_view key, int64_t& value, const NumberRange& range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* number = node->as_integer();
  if (number == nullptr) return mismatch(key, *node, "a whole number");
  if (in_range(key, *node, static_cast<double>(number->get()), range)) value = number->get();
}

void TableReader::read(std::string_view key, uint64_t& value, const NumberRange& range) {
  auto signed_value = static_cast<int64_t>(value);
  read(key, signed_value, range);
  value = static_cast<uint64_t>(signed_value);
}

void TableReader::read(std::string_view key, double& value, const NumberRange& range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_number()) return mismatch(key, *node, "a number");
  const double number = *node->value<double>();
  if (in_range(key, *node, number, range)) value = number;
}

void TableReader::read(std::string_view key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) return mismatch(key, *node, "true or false");
  value = node->as_boolean()->get();
}

void TableReader::read(std::string_view key, std::optional<double>& value,
                       const NumberRange& range) {
  if (!has(key)) return;
  double number = value.value_or(0.0);
  read(key, number, range);
  value = number;
}

void TableReader::read(std::string_view key, std::vector<std::string>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) return mismatch(key, *node, "an array of strings, as in [\"...\"],");
  value.clear();
  for (const toml::node& element : *array) {
    // A wrong element keeps its place, so that an element's number stays the file's.
    value.push_back(string_of(key, element).value_or(""));
  }
}

std::optional<std::string> TableReader::choice(std::string_view key,
                                               const std::vector<std::string>& names) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* text = node->as_string();
  if (text == nullptr) {
    mismatch(key, *node, "one of the strings " + quoted_list(names));
    return std::nullopt;
  }
  if (std::ranges::find(names, text->get()) != names.end()) return text->get();
  problems_->add(node->source(),
                 fmt::format("\"{}\" in {} is \"{}\"; it may be {}{}", key, title_, text->get(),
                             quoted_list(names), did_you_mean(text->get(), names)));
  return std::nullopt;
}

void TableReader::read_name(std::string_view key, std::string& value) {
  read(key, value);
  if (value.empty() || is_plain_name(value)) return;
  wrong(key, fmt::format("\"{}\" in {} is \"{}\", and a name holds letters, digits, \"-\" and "
                         "\"_\" alone, because files are named by it",
                         key, title_, value));
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) mismatch(key, *node, "a table");
  return node->as_table();
}

const toml::array* TableReader::array_of_tables(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  const auto* array = node->as_array();
  if (array == nullptr) {
    mismatch(key, *node,
             key == "stage" ? "an array of tables, written [[stage]],"
                            : "an array of tables, as in [{ ... }],");
    return nullptr;
  }
  const bool tables =
      std::ranges::all_of(*array, [](const toml::node& element) { return element.is_table(); });
  if (!tables) {
    mismatch(key, *node, "an array of tables alone, as in [{ ... }],");
    return nullptr;
  }
  return array;
}

bool TableReader::require(std::string_view key, std::string_view mend) {
  if (has(key)) return true;
  wrong(key, fmt::format("{} lacks the key \"{}\": add {}", title_, key, mend));
  return false;
}

void TableReader::wrong(std::string_view key, std::string message) {
  const toml::node* node = table_->get(key);
  problems_->add(node == nullptr ? table_->source() : node->source(), std::move(message));
}

void TableReader::wrong_element(std::string_view key, size_t index, std::string message) {
  const toml::node* node = table_->get(key);
  const toml::array* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr || index >= array->size()) return wrong(key, std::move(message));
  problems_->add(array->get(index)->source(), std::move(message));
}

void TableReader::finish() {
  for (const auto& [key, node] : *table_) {
    if (std::ranges::find(known_, key.str()) != known_.end()) continue;
    const toml::source_region& at = key.source().path ? key.source() : node.source();
    problems_->add(at, fmt::format("unknown key \"{}\" in {}{}", key.str(), title_,
                                   suggestion(key.str(), known_, "its keys are")));
  }
}

}  // namespace sightline
