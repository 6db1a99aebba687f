#pragma once
// JSON files with errors that name the file, and typed reads that name the key.

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

namespace sightline {

// Objects keep the order in which they were written: what we print reads as we meant it.
using Json = nlohmann::ordered_json;

// `source` names the text in errors (a file, or "file:row").
Json parse_json(std::string_view text, std::string_view source);
Json read_json(const std::filesystem::path& path);
void write_json(const std::filesystem::path& path, const Json& value);

// object[key] as T; a missing key or another type is an Error naming `source` and the key.
template <class T>
T json_get(const Json& object, const char* key, std::string_view source);
template <class T>
T json_get_or(const Json& object, const char* key, T fallback, std::string_view source);

[[noreturn]] void json_missing(std::string_view source, const char* key);
[[noreturn]] void json_mismatch(std::string_view source, const char* key, const Json& value,
                                const char* why);

template <class T>
T json_get(const Json& object, const char* key, std::string_view source) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) json_missing(source, key);
  // nlohmann would cut 2.5 to 2, wrap -1 to a large size and read true as 1.
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!found->is_number_integer()) json_mismatch(source, key, *found, "an integer was expected");
    const bool fits = found->is_number_unsigned()
                          ? std::in_range<T>(found->template get<uint64_t>())
                          : std::in_range<T>(found->template get<int64_t>());
    if (!fits) json_mismatch(source, key, *found, "out of range");
  }
  try {
    return found->template get<T>();
  } catch (const nlohmann::json::exception& error) {
    json_mismatch(source, key, *found, error.what());
  }
}

template <class T>
T json_get_or(const Json& object, const char* key, T fallback, std::string_view source) {
  if (!object.contains(key) || object[key].is_null()) return fallback;
  return json_get<T>(object, key, source);
}

}  // namespace sightline
