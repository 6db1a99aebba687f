#include "base/json.h"

#include "base/error.h"
#include "base/file.h"

namespace sightline {

Json parse_json(std::string_view text, std::string_view source) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail("{}: not valid JSON at byte {}: {}", source, error.byte, error.what());
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void json_missing(std::string_view source, const char* key) {
  fail("{}: the key \"{}\" is missing", source, key);
}

void json_mismatch(std::string_view source, const char* key, const Json& value, const char* why) {
  fail("{}: \"{}\" is {}, which is not what was expected ({})", source, key,
       value.dump().substr(0, 80), why);
}

}  // namespace sightline
