// Ticks, numbers and thinning of charts.

#include "base/error.h"
#include "report/chart.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace sightline {

std::vector<double> round_ticks(double low, double high, int count) {
  SL_ASSERT(high > low && count > 0, "ticks from {} to {}", low, high);
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double share = rough / power;  // 1 to 10; the nearest of 1, 2, 5 and 10
  const double step = (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10) * power;
  std::vector<double> ticks;
  const double slack = step * 1e-6;
  for (double k = std::ceil((low - slack) / step); k * step <= high + slack; ++k) {
    ticks.push_back(k == 0 ? 0.0 : k * step);
  }
  return ticks;
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) return fmt::format("{:.3g}G", value / 1e9);
  if (size >= 1e6) return fmt::format("{:.3g}M", value / 1e6);
  if (size >= 1e3) return fmt::format("{:.3g}k", value / 1e3);
  if (size >= 1e-2 || size == 0) return fmt::format("{:.3g}", value);
  if (!std::isfinite(value)) return "none";
  const int power = static_cast<int>(std::floor(std::log10(size)));
  return fmt::format("{:.3g}e{}", value / std::pow(10.0, power), power);
}

std::vector<ChartPoint> thinned(std::span<const ChartPoint> points, size_t buckets) {
  SL_ASSERT(buckets > 0, "thinned to nothing");
  if (points.size() <= 2 * buckets) return {points.begin(), points.end()};
  const double first = points.front().x;
  const double width = (points.back().x - first) / static_cast<double>(buckets);
  std::vector<ChartPoint> kept;
  std::optional<size_t> lowest, highest;
  size_t bucket = 0;
  const auto close = [&] {
    if (!lowest) return;
    kept.push_back(points[std::min(*lowest, *highest)]);
    if (*lowest != *highest) kept.push_back(points[std::max(*lowest, *highest)]);
    lowest = highest = std::nullopt;
  };
  for (size_t i = 0; i < points.size(); ++i) {
    const double place = width > 0 ? (points[i].x - first) / width : 0;
    const size_t own = std::min(buckets - 1, static_cast<size_t>(std::max(0.0, place)));
    if (own != bucket || std::isnan(points[i].y)) close();
    bucket = own;
    if (std::isnan(points[i].y)) {
      if (!kept.empty() && !std::isnan(kept.back().y)) kept.push_back(points[i]);
      continue;
    }
    if (!lowest || points[i].y < points[*lowest].y) lowest = i;
    if (!highest || points[i].y > points[*highest].y) highest = i;
  }
  close();
  return kept;
}

}  // namespace sightline
