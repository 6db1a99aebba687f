#include "train/checkpoint.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "tensor/safetensors.h"

#include <algorithm>
#include <memory>

#include <c10/core/GradMode.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr int kCheckpointFormat = 3;
constexpr const char* kState = "state.json";
constexpr const char* kWeights = "weights.safetensors";

void write_state(const fs::path& folder, const RunState& state) {
  write_json(folder / kState, {{"format_version", kCheckpointFormat},
                               {"step", state.step},
                               {"stage", state.stage},
                               {"stage_step", state.stage_step},
                               {"loader", state.loader},
                               {"notes", state.notes}});
}

std::string training_file(int64_t rank, int64_t ranks) {
  if (ranks == 1) return "training.safetensors";
  return fmt::format("training-{:05}-of-{:05}.safetensors", rank + 1, ranks);
}

// Written files are never changed, only replaced, so two names of one file are as good as a copy.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::create_hard_link(from, to, code);
  if (code) fs::copy_file(from, to, code);
  check(!code, "{}: cannot copy to {}: {}", from.string(), to.string(), code.message());
}

}  // namespace

CheckpointShare CheckpointShare::copied() const {
  const c10::NoGradGuard no_grad;
  CheckpointShare copies{.shard = shard};
  for (const auto& [name, tensor] : weights) {
    const bool stays = tensor.is_cpu() && !tensor.requires_grad();
    copies.weights.add(name, stays ? tensor : tensor.detach().to(at::kCPU, false, true));
  }
  for (const auto& [name, tensor] : training) {
    copies.training.add(name, tensor.detach().to(at::kCPU, false, true));
  }
  return copies;
}

void write_share(const fs::path& staging, const CheckpointShare& share) {
  if (share.weights.size() > 0) write_safetensors(staging / kWeights, share.weights);
  crash_point("checkpoint.weights_written");
  if (share.training.size() > 0 || share.shard.ranks > 1) {
    write_safetensors(staging / training_file(share.shard.rank, share.shard.ranks), share.training);
  }
}

bool has_training_of_all(const fs::path& staging, int64_t ranks) {
  for (int64_t rank = 0; rank < ranks; ++rank) {
    if (!fs::exists(staging / training_file(rank, ranks))) return false;
  }
  return true;
}

CheckpointWriter::CheckpointWriter(const fs::path& checkpoint) : writer_(checkpoint) {
  crash_point("checkpoint.begun");
}

void CheckpointWriter::commit(const RunState& state) {
  write_state(writer_.staging(), state);
  crash_point("checkpoint.all_written");
  writer_.commit();
}

void write_checkpoint(const fs::path& checkpoint, const RunState& state, const fs::path& other) {
  FolderWriter writer(checkpoint);
  link_or_copy(other / kWeights, writer.staging() / kWeights);
  write_state(writer.staging(), state);
  writer.commit();
}

RunState read_run_state(const fs::path& checkpoint) {
  const fs::path path = checkpoint / kState;
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

void restore_weights(const fs::path& checkpoint, ParamMap& params) {
  const c10::NoGradGuard no_grad;
  const SafetensorsFile file(checkpoint / kWeights);
  for (const auto& [name, tensor] : params) {
    const at::Tensor stored = file.load(name);
    check(stored.sizes() == tensor.sizes() && stored.scalar_type() == tensor.scalar_type(),
          "{}: \"{}\" has another shape or dtype than the recipe's model", checkpoint.string(),
          name);
    tensor.copy_(stored);
  }
}

StoredTensor training_state(const fs::path& checkpoint) {
  using Files = std::vector<std::unique_ptr<SafetensorsFile>>;
  const auto files = std::make_shared<Files>();
  for (const auto& entry : fs::directory_iterator(checkpoint)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("training") || entry.path().extension() != ".safetensors") continue;
    files->push_back(std::make_unique<SafetensorsFile>(entry.path()));
  }
  return [files, checkpoint](const std::string& name) {
    for (const auto& file : *files) {
      if (file->contains(name)) return file->load(name);
    }
    fail("{}: no file of it has the tensor \"{}\"", checkpoint.string(), name);
  };
}

CheckpointFolder::CheckpointFolder(fs::path folder, int64_t keep)
    : folder_(std::move(folder)), keep_(keep) {
  std::error_code code;
  fs::create_directories(folder_, code);
  check(!code, "{}: cannot create the folder: {}", folder_.string(), code.message());
}

fs::path CheckpointFolder::path_of(const RunState& state) const {
  return folder_ / fmt::format("step-{:08}", state.step);
}

void CheckpointFolder::prune() const {
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

}  // namespace sightline
