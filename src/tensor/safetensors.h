#pragma once
// The safetensors file format: 8 bytes of little-endian header length, a JSON header (name ->
// dtype, shape, data_offsets), then the tensors' bytes.

#include "base/file.h"
#include "base/part_reader.h"
#include "tensor/param_map.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// Where loaded tensors lie.
enum class Loading {
  // In memory of their own, 64-byte aligned: what trains is never a view of a file.
  copy,
  // In the file's own pages, where they have the dtype that is asked for and lie as numbers must;
  // else a copy. Nothing is read before it is used, and processes share it. They are not to be
  // written to, nor the file cut short (to replace it by renaming is safe).
  map,
};

class SafetensorsFile {
 public:
  // Checks the whole header: length, dtypes, shapes against offsets, bounds, overlap. Every fault
  // is an Error naming the file and the tensor.
  explicit SafetensorsFile(const std::filesystem::path& path);

  bool contains(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  std::vector<std::string> names() const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // In `dtype`. A name that is not there is an Error that names the nearest.
  at::Tensor load(std::string_view name, at::ScalarType dtype,
                  Loading loading = Loading::copy) const;
  // A copy in the file's own dtype.
  at::Tensor load(std::string_view name) const;
  std::vector<int64_t> shape(std::string_view name) const;

 private:
  struct Entry {
    at::ScalarType dtype;
    std::vector<int64_t> shape;
    size_t begin = 0, end = 0;  // within the file
  };
  const Entry& entry(std::string_view name) const;
  at::Tensor copy(const Entry& entry) const;
  at::Tensor view(const Entry& entry) const;

  std::filesystem::path path_;
  std::shared_ptr<const MappedFile> file_;  // for the header, and what is mapped
  PartReader reader_;                       // for what is copied
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string> metadata_;
};

// Written aside, synced and renamed. Tensors are written contiguous, in the map's order.
void write_safetensors(const std::filesystem::path& path, const ParamMap& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace sightline
