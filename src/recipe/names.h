#pragma once
// The recipe's choices by name, and how an error offers the names that would have been right.

#include "recipe/recipe.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

template <class E>
struct Named {
  std::string_view name;
  E value;
};

constexpr auto names_of(MaskPolicy) {
#define SIGHTLINE_NAMED(name) Named<MaskPolicy>{#name, MaskPolicy::name},
  return std::to_array({SIGHTLINE_MASK_POLICIES(SIGHTLINE_NAMED)});
#undef SIGHTLINE_NAMED
}
constexpr auto names_of(NumberType) {
  return std::array<Named<NumberType>, 2>{{{"fp32", NumberType::fp32}, {"bf16", NumberType::bf16}}};
}
constexpr auto names_of(DecodingWeights) {
  return std::array<Named<DecodingWeights>, 4>{{{"whole", DecodingWeights::whole},
                                                {"int8", DecodingWeights::int8},
                                                {"int4", DecodingWeights::int4},
                                                {"int8_products", DecodingWeights::int8_products}}};
}
constexpr auto names_of(VisionKind) {
  return std::array<Named<VisionKind>, 2>{
      {{"vit", VisionKind::vit}, {"siglip", VisionKind::siglip}}};
}
constexpr auto names_of(LanguageKind) {
  return std::array<Named<LanguageKind>, 2>{
      {{"llama", LanguageKind::llama}, {"qwen2", LanguageKind::qwen2}}};
}
constexpr auto names_of(ConnectorKind) {
#define SIGHTLINE_NAMED(name, of) Named<ConnectorKind>{#name, ConnectorKind::name},
  return std::to_array({SIGHTLINE_CONNECTORS(SIGHTLINE_NAMED)});
#undef SIGHTLINE_NAMED
}
constexpr auto names_of(DataFormat) {
#define SIGHTLINE_NAMED(name) Named<DataFormat>{#name, DataFormat::name},
  return std::to_array({SIGHTLINE_DATA_FORMATS(SIGHTLINE_NAMED)});
#undef SIGHTLINE_NAMED
}
constexpr auto names_of(CaptionsMode) {
  return std::array<Named<CaptionsMode>, 2>{
      {{"all", CaptionsMode::all}, {"one", CaptionsMode::one}}};
}
constexpr auto names_of(OnBadSample) {
  return std::array<Named<OnBadSample>, 2>{
      {{"fail", OnBadSample::fail}, {"skip", OnBadSample::skip}}};
}
constexpr auto names_of(TooLong) {
  return std::array<Named<TooLong>, 2>{{{"fail", TooLong::fail}, {"split", TooLong::split}}};
}
constexpr auto names_of(OptimizerKind) {
  return std::array<Named<OptimizerKind>, 2>{
      {{"adamw", OptimizerKind::adamw}, {"muon", OptimizerKind::muon}}};
}
constexpr auto names_of(Objective) {
  return std::array<Named<Objective>, 2>{
      {{"answers", Objective::answers}, {"reconstruct", Objective::reconstruct}}};
}
constexpr auto names_of(Schedule) {
  return std::array<Named<Schedule>, 4>{{{"cosine", Schedule::cosine},
                                         {"constant", Schedule::constant},
                                         {"linear", Schedule::linear},
                                         {"wsd", Schedule::wsd}}};
}
constexpr auto names_of(TaskKind) {
  return std::array<Named<TaskKind>, 2>{
      {{"caption", TaskKind::caption}, {"question", TaskKind::question}}};
}

template <class E>
std::string_view enum_name(E value) {
  static constexpr auto kNames = names_of(E{});
  for (const auto& each : kNames) {
    if (each.value == value) return each.name;
  }
  return "?";
}

template <class E>
std::optional<E> enum_named(std::string_view name) {
  for (const auto& each : names_of(E{})) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

template <class E>
std::vector<std::string> enum_names() {
  std::vector<std::string> names;
  for (const auto& each : names_of(E{})) names.emplace_back(each.name);
  return names;
}

// "a", "b" or "c"
std::string quoted_list(std::span<const std::string> names);

// `; did you mean "epochs"?` where one of `names` is near, else "".
std::string did_you_mean(std::string_view name, std::span<const std::string> names);

// The same where one is near, else `; <what>: "a", "b" or "c"`.
std::string suggestion(std::string_view name, std::span<const std::string> names,
                       std::string_view what);

}  // namespace sightline
