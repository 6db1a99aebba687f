#include "cli/weights_view.h"

#include "base/error.h"
#include "report/table.h"
#include "tensor/safetensors_folder.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <memory>

#include <ATen/ops/linalg_vector_norm.h>
#include <fmt/ranges.h>

namespace sightline {

namespace {

namespace fs = std::filesystem;

// As the file format calls them.
std::string type_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "F32";
    case at::kBFloat16:
      return "BF16";
    case at::kHalf:
      return "F16";
    case at::kDouble:
      return "F64";
    default:
      return c10::toString(type);
  }
}

// "a.12.b" -> "a.*.b"
std::string without_numbers(const std::string& name) {
  std::string result;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string word = name.substr(begin, end - begin);
    const bool number =
        !word.empty() && std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c); });
    result += (begin == 0 ? "" : ".") + (number ? std::string(1, '*') : word);
    begin = end + 1;
  }
  return result;
}

double norm_of(const at::Tensor& tensor) {
  return at::linalg_vector_norm(tensor.to(at::kFloat), 2, std::nullopt, false, at::kDouble)
      .item<double>();
}

TensorGroup& group_of(std::vector<TensorGroup>& groups, const TensorGroup& wanted) {
  for (TensorGroup& group : groups) {
    if (group.name == wanted.name && group.type == wanted.type && group.shape == wanted.shape) {
      return group;
    }
  }
  groups.push_back(wanted);
  return groups.back();
}

WeightsView view_of_part(const std::string& part, const fs::path& folder, Layers layers) {
  WeightsView view{.part = part};
  const SafetensorsFolder weights(folder);
  std::map<fs::path, std::unique_ptr<SafetensorsFile>> files;
  for (const std::string& name : weights.names()) {
    auto& file = files[weights.file_of(name)];
    if (!file) file = std::make_unique<SafetensorsFile>(weights.file_of(name));
    const at::Tensor tensor = file->load(name);
    TensorGroup& group =
        group_of(view.groups, {.name = layers == Layers::together ? without_numbers(name) : name,
                               .type = type_name(tensor.scalar_type()),
                               .shape = tensor.sizes().vec()});
    const double norm = norm_of(tensor);
    if (!std::isfinite(norm)) {
      ++group.not_finite;
    } else {
      const bool first = group.count == group.not_finite;
      group.least_norm = first ? norm : std::min(group.least_norm, norm);
      group.greatest_norm = first ? norm : std::max(group.greatest_norm, norm);
    }
    ++group.count;
    view.parameters += tensor.numel();
    view.bytes += static_cast<int64_t>(tensor.nbytes());
  }
  return view;
}

std::string norm_text(const TensorGroup& group) {
  if (group.not_finite > 0) return fmt::format("{} not finite", group.not_finite);
  const std::string least = fmt::format("{:.4g}", group.least_norm);
  return group.count == 1 ? least : fmt::format("{} - {:.4g}", least, group.greatest_norm);
}

}  // namespace

std::vector<WeightsView> weights_of(const fs::path& folder, Layers layers) {
  if (!fs::is_directory(folder)) fail_usage("{}: no such folder", folder.string());
  std::vector<WeightsView> parts;
  for (const char* part : {"vision", "connector", "language"}) {
    if (fs::is_directory(folder / part)) parts.push_back(view_of_part(part, folder / part, layers));
  }
  if (parts.empty()) parts.push_back(view_of_part("", folder, layers));
  return parts;
}

std::string weights_text(const std::vector<WeightsView>& parts) {
  std::string text;
  for (const WeightsView& part : parts) {
    text += fmt::format("{}{} parameters, {:.1f} MB\n", part.part.empty() ? "" : part.part + ": ",
                        grouped(part.parameters), static_cast<double>(part.bytes) / 1e6);
    std::vector<std::vector<std::string>> table = {{"tensor", "how many", "shape", "type", "norm"}};
    for (const TensorGroup& group : part.groups) {
      table.push_back({group.name, grouped(group.count),
                       fmt::format("{}", fmt::join(group.shape, " x ")), group.type,
                       norm_text(group)});
    }
    text += table_text(table, "  ") + "\n";
  }
  return text;
}

Json to_json(const std::vector<WeightsView>& parts) {
  Json list = Json::array();
  for (const WeightsView& part : parts) {
    Json groups = Json::array();
    for (const TensorGroup& group : part.groups) {
      groups.push_back({{"name", group.name},
                        {"count", group.count},
                        {"shape", group.shape},
                        {"type", group.type},
                        {"norms", {group.least_norm, group.greatest_norm}},
                        {"not_finite", group.not_finite}});
    }
    list.push_back({{"part", part.part},
                    {"parameters", part.parameters},
                    {"bytes", part.bytes},
                    {"tensors", groups}});
  }
  return list;
}

}  // namespace sightline
