#pragma once
// The weights of a Hugging Face folder: model.safetensors, or several files (shards) with
// model.safetensors.index.json, whose "weight_map" says in which file each tensor lies.

#include "tensor/safetensors.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class SafetensorsFolder {
 public:
  // Opens and checks every file. Where both are there, model.safetensors counts, as it does for
  // transformers. An Error names file and tensor: no weights at all, an index that is broken, names
  // no file of this folder, or does not hold what its files do (a tensor that a shard lacks, one
  // that the index leaves out or puts elsewhere).
  explicit SafetensorsFolder(const std::filesystem::path& folder);

  bool contains(std::string_view name) const;
  // The file that holds a tensor or, where none does, the one that lists them.
  const std::filesystem::path& file_of(std::string_view name) const;
  std::vector<std::string> names() const;
  // In `dtype`. A name that is not there is an Error that names the nearest.
  at::Tensor load(std::string_view name, at::ScalarType dtype,
                  Loading loading = Loading::copy) const;

 private:
  void open_shards(const std::filesystem::path& index);

  struct Shard {
    std::filesystem::path path;
    std::unique_ptr<const SafetensorsFile> file;
  };
  std::filesystem::path listing_;
  std::vector<Shard> shards_;
  std::map<std::string, size_t, std::less<>> shard_of_;
};

}  // namespace sightline
