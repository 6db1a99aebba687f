#include "tensor/safetensors.h"

#include "base/error.h"
#include "base/json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

namespace sightline {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

namespace {

// The format's own bound on the header, as the reference implementation has it.
constexpr uint64_t kMaxHeader = 100'000'000;

// What a core reads at a time, at least. Most of the time goes into the first touch of new memory,
// which cores could share: parallel_for runs on one as long as nothing is compiled with -fopenmp.
constexpr int64_t kPieceBytes = 1 << 18;

constexpr size_t kAligned = 64;

struct DtypeName {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<DtypeName, 8> kDtypes = {{{"F64", at::kDouble},
                                               {"F32", at::kFloat},
                                               {"F16", at::kHalf},
                                               {"BF16", at::kBFloat16},
                                               {"I64", at::kLong},
                                               {"I32", at::kInt},
                                               {"I16", at::kShort},
                                               {"U8", at::kByte}}};

at::ScalarType dtype_named(const std::string& name, const std::string& where) {
  for (const auto& known : kDtypes) {
    if (name == known.name) return known.type;
  }
  fail("{}: dtype \"{}\" is not one of F64, F32, F16, BF16, I64, I32, I16, U8", where, name);
}

std::string name_of(at::ScalarType type) {
  for (const auto& known : kDtypes) {
    if (type == known.type) return known.name;
  }
  SL_ASSERT(false, "no safetensors name for dtype {}", static_cast<int>(type));
  return {};
}

// Elements times their size, or an Error where the product does not fit.
uint64_t byte_size(const std::vector<int64_t>& shape, size_t element, const std::string& where) {
  uint64_t bytes = element;
  for (const int64_t extent : shape) {
    check(extent >= 0, "{}: its shape holds {}", where, extent);
    const auto factor = static_cast<uint64_t>(extent);
    check(factor == 0 || bytes <= std::numeric_limits<uint64_t>::max() / factor,
          "{}: its shape is absurdly large", where);
    bytes *= factor;
  }
  return bytes;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<const MappedFile>(path)), reader_(path) {
  const auto bytes = file_->bytes();
  const std::string source = path.string();
  check(bytes.size() >= 8, "{}: {} bytes are too few for a safetensors file; is it truncated?",
        source, bytes.size());
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  check(header_size <= kMaxHeader && header_size <= bytes.size() - 8,
        "{}: its header is said to take {} bytes, the file has {}; is it truncated, or not a "
        "safetensors file?",
        source, header_size, bytes.size());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, header_size);
  const Json header = parse_json(text, source + " (header)");
  check(header.is_object(), "{}: its header is not a JSON object", source);

  const uint64_t data_start = 8 + header_size;
  std::vector<std::pair<uint64_t, uint64_t>> spans;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, item] : value.items()) {
        if (item.is_string()) metadata_[key] = item.get<std::string>();
      }
      continue;
    }
    const std::string where = fmt::format("{}: tensor \"{}\"", source, name);
    Entry entry;
    entry.dtype = dtype_named(json_get<std::string>(value, "dtype", where), where);
    entry.shape = json_get<std::vector<int64_t>>(value, "shape", where);
    const auto offsets = json_get<std::vector<uint64_t>>(value, "data_offsets", where);
    check(offsets.size() == 2 && offsets[0] <= offsets[1],
          "{}: its data_offsets are not [begin, end]", where);
    check(offsets[1] <= bytes.size() - data_start,
          "{}: its data end at byte {}, the file's data at {}; is the file truncated?", where,
          offsets[1], bytes.size() - data_start);
    const uint64_t expected = byte_size(entry.shape, c10::elementSize(entry.dtype), where);
    check(offsets[1] - offsets[0] == expected, "{}: {} bytes of data, its shape and dtype take {}",
          where, offsets[1] - offsets[0], expected);
    entry.begin = data_start + offsets[0];
    entry.end = data_start + offsets[1];
    if (entry.begin != entry.end) spans.emplace_back(entry.begin, entry.end);
    entries_.emplace(name, std::move(entry));
  }
  std::sort(spans.begin(), spans.end());
  for (size_t i = 1; i < spans.size(); ++i) {
    check(spans[i].first >= spans[i - 1].second, "{}: two tensors share the bytes from {}", source,
          spans[i].first);
  }
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> result;
  for (const auto& [name, entry] : entries_) result.push_back(name);
  return result;
}

const SafetensorsFile::Entry& SafetensorsFile::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    const auto known = names();
    const std::string near = nearest_name(name, known.data(), known.data() + known.size());
    fail("{}: has no tensor \"{}\"{}", path_.string(), name,
         near.empty() ? "" : fmt::format(" (the nearest is \"{}\")", near));
  }
  return found->second;
}

at::Tensor SafetensorsFile::copy(const Entry& entry) const {
  at::Tensor tensor = at::empty(entry.shape, entry.dtype);
  auto* const to = static_cast<std::byte*>(tensor.data_ptr());
  const auto size = static_cast<int64_t>(entry.end - entry.begin);
  at::parallel_for(0, size, kPieceBytes, [&](int64_t begin, int64_t end) {
    reader_.read(entry.begin + begin, {to + begin, static_cast<size_t>(end - begin)});
  });
  return tensor;
}

at::Tensor SafetensorsFile::view(const Entry& entry) const {
  // from_blob wants what could be written to; the pages cannot.
  auto* const data = const_cast<std::byte*>(file_->bytes().data() + entry.begin);
  return at::from_blob(
      data, entry.shape, [kept = file_](void*) {}, at::TensorOptions().dtype(entry.dtype));
}

at::Tensor SafetensorsFile::load(std::string_view name, at::ScalarType dtype,
                                 Loading loading) const {
  const Entry& found = entry(name);
  const bool lies_well = found.begin % c10::elementSize(found.dtype) == 0;
  return (loading == Loading::map && lies_well ? view(found) : copy(found)).to(dtype);
}

at::Tensor SafetensorsFile::load(std::string_view name) const { return copy(entry(name)); }

std::vector<int64_t> SafetensorsFile::shape(std::string_view name) const {
  return entry(name).shape;
}

void write_safetensors(const std::filesystem::path& path, const ParamMap& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t end = offset + tensor.nbytes();
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  // The format wants data to start at a multiple of 8; at one of 64 what is mapped lies best.
  text.append((kAligned - (8 + text.size()) % kAligned) % kAligned, ' ');
  const uint64_t header_size = text.size();
  FileWriter writer(path);
  writer.append({reinterpret_cast<const char*>(&header_size), 8});
  writer.append(text);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor dense = tensor.detach().cpu().contiguous();
    writer.append({static_cast<const char*>(dense.data_ptr()), dense.nbytes()});
  }
  writer.commit();
}

}  // namespace sightline
