#pragma once
// Line charts of a run as static SVG: quantities over optimizer steps, its stages marked, its
// evaluations ticked. Colours are CSS variables, so that one drawing serves light and dark; a chart
// is drawn to be read at its own size and a little below: the page sets several side by side.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace sightline {

inline constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

struct ChartPoint {
  double x = 0;
  double y = kNoValue;  // NaN, or not above 0 on a log scale: the line is broken here
  double low = kNoValue, high = kNoValue;  // an interval about y, or none
};

enum class LineStyle {
  line,
  faint,  // thin and pale: what another line smooths
  marks,  // a dot a point, joined by a line, with its interval
};

struct ChartLine {
  std::string name;
  size_t colour = 0;  // one of kChartColours
  LineStyle style = LineStyle::line;
  std::vector<ChartPoint> points;  // x ascending
};

struct ChartStage {
  std::string name;
  double first = 0, last = 0;  // x of its first and last step
};

enum class ChartScale { linear, log };

struct Chart {
  std::string title;
  std::string y_label;  // with the unit
  std::string x_label = "optimizer step";
  ChartScale scale = ChartScale::linear;
  std::vector<ChartLine> lines;
  std::vector<ChartStage> stages;
  std::vector<double> evaluations;  // x of each
};

inline constexpr size_t kChartColours = 4;
// In pixels.
inline constexpr int kChartWidth = 420, kChartHeight = 270;

// The CSS that the drawings need, for a page with them inside.
std::string chart_style();
// One <svg> element, to stand in a page that has chart_style().
std::string chart_svg(const Chart& chart);
// A file of its own: the charts side by side.
std::string charts_file(std::span<const Chart> charts);

// At most two points in each of `buckets` equal parts of their range of x, its lowest and highest,
// so that extremes stay; breaks stay too.
std::vector<ChartPoint> thinned(std::span<const ChartPoint> points, size_t buckets);
// Round numbers inside [low, high]: 1, 2 or 5 times powers of ten apart, about `count` of them.
std::vector<double> round_ticks(double low, double high, int count);
// 1234 -> "1.23k", 0.00001 -> "1e-5".
std::string short_number(double value);

}  // namespace sightline
