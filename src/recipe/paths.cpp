// What may be wrong with a path that a recipe names.

#include "base/error.h"
#include "recipe/sections.h"

#include <filesystem>
#include <vector>

namespace sightline {

namespace fs = std::filesystem;

namespace {

// Walks up to the first folder that exists and says what in it comes near.
std::string missing(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();  // "folder/"
  fs::path parent = path.parent_path();
  fs::path name = path.filename();
  std::error_code code;
  while (!parent.empty() && !fs::exists(parent, code) && parent != parent.parent_path()) {
    name = parent.filename();
    parent = parent.parent_path();
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(parent.empty() ? "." : parent, code)) {
    names.push_back(entry.path().filename().string());
  }
  const std::string wanted = name.string();
  const std::string place =
      parent.empty() ? "the working folder" : fmt::format("\"{}\"", parent.string());
  return fmt::format("does not exist: {} holds no \"{}\"{}", place, wanted,
                     did_you_mean(wanted, names));
}

}  // namespace

std::string problem_with_file(const std::string& path) {
  std::error_code code;
  if (!fs::exists(path, code)) return missing(path);
  return fs::is_directory(path, code) ? "is a folder: name the file in it" : "";
}

std::string problem_with_folder(const std::string& path) {
  std::error_code code;
  if (!fs::exists(path, code)) return missing(path);
  return fs::is_directory(path, code) ? "" : "is a file: name the folder that holds it";
}

void read_path(TableReader& reader, std::string_view key, std::string& path,
               std::string (*problem_with)(const std::string&)) {
  reader.read(key, path);
  if (path.empty() || !reader.checks_paths()) return;
  const std::string problem = problem_with(path);
  if (problem.empty()) return;
  reader.wrong(
      key, fmt::format("\"{}\" in {} names \"{}\", which {}", key, reader.title(), path, problem));
}

}  // namespace sightline
