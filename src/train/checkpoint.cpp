#include "train/checkpoint.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "tensor/safetensors.h"

#include <algorithm>

#include <c10/core/GradMode.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr int kCheckpointFormat = 1;

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path folder, int64_t keep)
    : folder_(std::move(folder)), keep_(keep) {
  std::error_code code;
  fs::create_directories(folder_, code);
  check(!code, "{}: cannot create the folder: {}", folder_.string(), code.message());
}

std::vector<fs::path> CheckpointFolder::all() const {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && entry.path().extension().empty())
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void CheckpointFolder::save(const RunState& state, const ParamMap& params,
                            const Optimizer* optimizer) {
  Json json;
  json["format_version"] = kCheckpointFormat;
  json["step"] = state.step;
  json["stage"] = state.stage;
  json["stage_step"] = state.stage_step;
  json["loader"] = state.loader;
  json["notes"] = state.notes;

  FolderWriter writer(folder_ / fmt::format("step-{:08}", state.step));
  crash_point("checkpoint.begun");
  write_safetensors(writer.staging() / "weights.safetensors", params);
  crash_point("checkpoint.weights_written");
  if (optimizer != nullptr) {
    write_safetensors(writer.staging() / "optimizer.safetensors", optimizer->state());
  }
  write_json(writer.staging() / "state.json", json);
  crash_point("checkpoint.all_written");
  writer.commit();

  auto checkpoints = all();
  while (static_cast<int64_t>(checkpoints.size()) > std::max<int64_t>(1, keep_)) {
    std::error_code ignored;
    fs::remove_all(checkpoints.front(), ignored);
    checkpoints.erase(checkpoints.begin());
  }
}

std::optional<fs::path> CheckpointFolder::newest() const {
  const auto checkpoints = all();
  if (checkpoints.empty()) return std::nullopt;
  return checkpoints.back();
}

RunState CheckpointFolder::read_state(const fs::path& checkpoint) const {
  const fs::path path = checkpoint / "state.json";
  const std::string source = path.string();
  const Json json = read_json(path);
  const int version = json_get<int>(json, "format_version", source);
  check(version == kCheckpointFormat, "{}: format_version {}; this program knows {}", source,
        version, kCheckpointFormat);
  RunState state;
  state.step = json_get<int64_t>(json, "step", source);
  state.stage = json_get<int64_t>(json, "stage", source);
  state.stage_step = json_get<int64_t>(json, "stage_step", source);
  state.loader = json.at("loader");
  state.notes = json.at("notes");
  return state;
}

void CheckpointFolder::restore_weights(const fs::path& checkpoint, ParamMap& params) const {
  const c10::NoGradGuard no_grad;
  const SafetensorsFile file(checkpoint / "weights.safetensors");
  for (const auto& [name, tensor] : params) {
    const at::Tensor stored = file.load(name);
    check(stored.sizes() == tensor.sizes() && stored.scalar_type() == tensor.scalar_type(),
          "{}: \"{}\" has another shape or dtype than the recipe's model", checkpoint.string(),
          name);
    tensor.copy_(stored);
  }
}

void CheckpointFolder::restore_optimizer(const fs::path& checkpoint, Optimizer& optimizer) const {
  const SafetensorsFile file(checkpoint / "optimizer.safetensors");
  ParamMap state;
  for (const std::string& name : file.names()) state.add(name, file.load(name));
  optimizer.restore(state, (checkpoint / "optimizer.safetensors").string());
}

}  // namespace sightline
