#include "run/history.h"

#include "base/json.h"

namespace sightline {

namespace fs = std::filesystem;

std::vector<Origin> read_history(const fs::path& folder) {
  const fs::path file = folder / "history.json";
  if (!fs::exists(file)) return {};
  const std::string source = file.string();
  std::vector<Origin> history;
  for (const Json& each : read_json(file)) {
    history.push_back({.run = json_get<std::string>(each, "run", source),
                       .stages = json_get<std::vector<std::string>>(each, "stages", source),
                       .step = json_get<int64_t>(each, "step", source),
                       .begun_again = json_get<std::string>(each, "begun_again", source)});
  }
  return history;
}

void write_history(const fs::path& folder, const std::vector<Origin>& history) {
  Json list = Json::array();
  for (const Origin& origin : history) {
    list.push_back({{"run", origin.run},
                    {"stages", origin.stages},
                    {"step", origin.step},
                    {"begun_again", origin.begun_again}});
  }
  write_json(folder / "history.json", list);
}

}  // namespace sightline
