#include "tensor/safetensors_folder.h"

#include "base/error.h"
#include "base/json.h"

namespace sightline {

namespace fs = std::filesystem;

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) {
  const fs::path single = folder / "model.safetensors";
  const fs::path index = folder / "model.safetensors.index.json";
  if (fs::exists(single) || !fs::exists(index)) {
    check(
        fs::exists(single),
        "{}: cannot open: no weights there, neither this file nor model.safetensors.index.json; a "
        "Hugging Face model folder with safetensors is meant",
        single.string());
    listing_ = single;
    shards_.push_back({single, std::make_unique<SafetensorsFile>(single)});
    for (const std::string& name : shards_[0].file->names()) shard_of_.emplace(name, 0);
    return;
  }
  listing_ = index;
  open_shards(index);
}

void SafetensorsFolder::open_shards(const fs::path& index) {
  const Json json = read_json(index);
  const auto map = json_get<Json>(json, "weight_map", index.string());
  check(map.is_object() && !map.empty(),
        "{}: \"weight_map\" must be a table of tensor names and their files", index.string());
  std::map<std::string, size_t> number_of;
  for (const auto& [name, value] : map.items()) {
    check(value.is_string(), "{}: the file of tensor \"{}\" is {}, and a name is expected",
          index.string(), name, value.dump().substr(0, 80));
    const auto file = value.get<std::string>();
    check(!file.empty() && fs::path(file).filename() == file,
          "{}: the file of tensor \"{}\" is \"{}\", and a file beside the index is expected",
          index.string(), name, file);
    const auto [at, is_new] = number_of.emplace(file, shards_.size());
    if (is_new) {
      const fs::path path = index.parent_path() / file;
      check(fs::exists(path), "{}: names the shard {}, which is not there: copy or download it",
            index.string(), file);
      shards_.push_back({path, std::make_unique<SafetensorsFile>(path)});
    }
    check(shards_[at->second].file->contains(name),
          "{}: lists tensor \"{}\" in {}, which does not hold it", index.string(), name, file);
    shard_of_.emplace(name, at->second);
  }
  for (size_t i = 0; i < shards_.size(); ++i) {
    for (const std::string& name : shards_[i].file->names()) {
      const auto found = shard_of_.find(name);
      check(found != shard_of_.end() && found->second == i,
            "{}: tensor \"{}\" lies in {}, and the index {}", index.string(), name,
            shards_[i].path.filename().string(),
            found == shard_of_.end()
                ? std::string("leaves it out")
                : "puts it in " + shards_[found->second].path.filename().string());
    }
  }
}

bool SafetensorsFolder::contains(std::string_view name) const {
  return shard_of_.find(name) != shard_of_.end();
}

const fs::path& SafetensorsFolder::file_of(std::string_view name) const {
  const auto found = shard_of_.find(name);
  return found == shard_of_.end() ? listing_ : shards_[found->second].path;
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  for (const auto& [name, shard] : shard_of_) names.push_back(name);
  return names;
}

at::Tensor SafetensorsFolder::load(std::string_view name, at::ScalarType dtype,
                                   Loading loading) const {
  const auto found = shard_of_.find(name);
  if (found != shard_of_.end()) return shards_[found->second].file->load(name, dtype, loading);
  const std::vector<std::string> known = names();
  const std::string near =
      nearest_name(std::string(name), known.data(), known.data() + known.size());
  fail("{}: has no tensor \"{}\"{}", listing_.string(), name,
       near.empty() ? "" : fmt::format(" (the nearest is \"{}\")", near));
}

}  // namespace sightline
