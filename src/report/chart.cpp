#include "report/chart.h"

#include "report/html.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sightline {
namespace {

// In pixels. A character of the font is about kLetter wide.
constexpr double kLeft = 60, kRight = 14, kTitle = 15, kLegendRow = 15, kBottom = 42, kLetter = 6.2;
constexpr double kPlotWidth = kChartWidth - kLeft - kRight;

bool is_shown(double y, ChartScale scale) {
  return std::isfinite(y) && (scale == ChartScale::linear || y > 0);
}

struct Span {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

// Places of one chart: values to pixels.
struct Plot {
  ChartScale scale = ChartScale::linear;
  Span across, up;  // values; up in decades on a log scale
  double top = 0;
  double bottom() const { return kChartHeight - kBottom; }
  double height(double y) const { return scale == ChartScale::log ? std::log10(y) : y; }
  double x(double value) const {
    return kLeft + kPlotWidth * (value - across.low) / (across.high - across.low);
  }
  double y(double value) const {
    const double share = (height(value) - up.low) / (up.high - up.low);
    return bottom() - (bottom() - top) * std::clamp(share, 0.0, 1.0);
  }
};

void widen(Span& span) {
  if (span.high > span.low) return;
  const double by = span.low == 0 ? 1 : std::abs(span.low) * 0.1;
  span.low -= by;
  span.high += by;
}

Plot plot_of(const Chart& chart) {
  Plot plot{.scale = chart.scale};
  for (const ChartLine& line : chart.lines) {
    for (const ChartPoint& point : line.points) {
      plot.across.take(point.x);
      for (const double y : {point.y, point.low, point.high}) {
        if (is_shown(y, chart.scale)) plot.up.take(plot.height(y));
      }
    }
  }
  for (const ChartStage& stage : chart.stages) {
    plot.across.take(stage.first);
    plot.across.take(stage.last);
  }
  if (plot.up.empty()) return plot;
  widen(plot.across);
  widen(plot.up);
  const double margin = 0.04 * (plot.up.high - plot.up.low);
  // Nothing that is never negative gets an axis below zero.
  const bool above = chart.scale == ChartScale::linear && plot.up.low >= 0;
  plot.up.low = above ? std::max(0.0, plot.up.low - margin) : plot.up.low - margin;
  plot.up.high += margin;
  return plot;
}

std::string words(double x, double y, const char* kind, std::string_view text) {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", kind, x, y,
                     escaped(text));
}

std::string rule(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                     kind, x1, y1, x2, y2);
}

double width_of(std::string_view text) { return kLetter * static_cast<double>(text.size()); }

// The lines' names under the title, in as many rows as they need. Returns where they end.
double add_legend(std::string& svg, const Chart& chart) {
  double x = kLeft, y = kTitle + kLegendRow;
  for (const ChartLine& line : chart.lines) {
    const double width = 20 + width_of(line.name) + 14;
    if (x > kLeft && x + width > kChartWidth) {
      x = kLeft;
      y += kLegendRow;
    }
    const char* kind = line.style == LineStyle::faint ? "f c" : "l c";
    svg += rule(x, y - 4, x + 14, y - 4, fmt::format("{}{}", kind, line.colour).c_str());
    svg += words(x + 19, y, "s", line.name);
    x += width;
  }
  return y;
}

std::vector<double> ticks_up(const Plot& plot) {
  if (plot.scale == ChartScale::linear) return round_ticks(plot.up.low, plot.up.high, 5);
  const bool few = plot.up.high - plot.up.low < 2;
  const bool many = plot.up.high - plot.up.low > 6;
  std::vector<double> ticks;
  for (double power = std::floor(plot.up.low); power <= plot.up.high; power += many ? 2 : 1) {
    for (const double each : {1.0, 2.0, 5.0}) {
      const double at = power + std::log10(each);
      if ((each == 1 || few) && at >= plot.up.low && at <= plot.up.high) {
        ticks.push_back(each * std::pow(10.0, power));
      }
    }
  }
  return ticks;
}

void add_axes(std::string& svg, const Chart& chart, const Plot& plot) {
  for (const double tick : ticks_up(plot)) {
    const double y = plot.y(tick);
    svg += rule(kLeft, y, kChartWidth - kRight, y, "g");
    svg += words(kLeft - 6, y + 4, "e", short_number(tick));
  }
  svg += "\n";
  for (const double tick : round_ticks(plot.across.low, plot.across.high, 5)) {
    if (tick != std::round(tick)) continue;  // there is no half step
    svg += rule(plot.x(tick), plot.bottom(), plot.x(tick), plot.bottom() + 4, "a");
    svg += words(plot.x(tick), plot.bottom() + 17, "m", short_number(tick));
  }
  svg += rule(kLeft, plot.bottom(), kChartWidth - kRight, plot.bottom(), "a") + "\n";
  svg += words(kLeft + kPlotWidth / 2, kChartHeight - 7, "m", chart.x_label);
  const double middle = (plot.top + plot.bottom()) / 2;
  svg += fmt::format("<text class=\"m\" transform=\"translate(13,{:.1f}) rotate(-90)\">{}</text>\n",
                     middle, escaped(chart.y_label));
}

// Names above the plot; a number where a name finds no room, nothing where that finds none.
void add_stages(std::string& svg, const Chart& chart, const Plot& plot) {
  for (size_t i = 0; i < chart.stages.size(); ++i) {
    const ChartStage& stage = chart.stages[i];
    const double from = plot.x(stage.first), to = plot.x(stage.last);
    const std::string number = std::to_string(i + 1);
    if (i > 0) svg += rule(from, plot.top - 14, from, plot.bottom(), "b");
    const double room = to - from - 4;
    std::string shown = stage.name;
    if (width_of(shown) > room) shown = width_of(number) > room ? "" : number;
    if (shown.empty()) continue;
    svg += fmt::format("<text class=\"m\" x=\"{:.1f}\" y=\"{:.1f}\">{}<title>{}</title></text>",
                       (from + to) / 2, plot.top - 5, escaped(shown), escaped(stage.name));
  }
  double last = -10;
  for (const double at : chart.evaluations) {
    const double x = plot.x(at);
    if (x - last < 4) continue;
    last = x;
    svg += fmt::format("<path class=\"v\" d=\"M{:.1f} {:.1f}l-3.5 6h7z\"/>", x, plot.bottom() - 6);
  }
  svg += "\n";
}

void add_line(std::string& svg, const ChartLine& line, const Plot& plot) {
  const bool marks = line.style == LineStyle::marks;
  const std::vector<ChartPoint> points =
      marks ? line.points : thinned(line.points, static_cast<size_t>(kPlotWidth / 2));
  std::string path;
  bool drawing = false;
  for (const ChartPoint& point : points) {
    if (!is_shown(point.y, plot.scale)) {
      drawing = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", plot.x(point.x), plot.y(point.y));
    drawing = true;
  }
  svg += fmt::format("<path class=\"{} c{}\" d=\"{}\"/>\n",
                     line.style == LineStyle::faint ? "f" : "l", line.colour, path);
  if (!marks) return;
  for (const ChartPoint& point : points) {
    if (!is_shown(point.y, plot.scale)) continue;
    const double x = plot.x(point.x);
    std::string told = fmt::format("{}: {:.4g} after step {}", line.name, point.y, point.x);
    if (is_shown(point.low, plot.scale) && is_shown(point.high, plot.scale)) {
      svg += rule(x, plot.y(point.low), x, plot.y(point.high),
                  fmt::format("l c{}", line.colour).c_str());
      told += fmt::format(" [{:.4g}, {:.4g}]", point.low, point.high);
    }
    svg += fmt::format(
        "<circle class=\"d{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\"><title>{}</title></circle>\n",
        line.colour, x, plot.y(point.y), escaped(told));
  }
}

std::string body_of(const Chart& chart) {
  std::string svg = words(kLeft, kTitle - 2, "h", chart.title) + "\n";
  const double legend = chart.lines.size() > 1 ? add_legend(svg, chart) : kTitle;
  Plot plot = plot_of(chart);
  plot.top = legend + (chart.stages.empty() ? 10 : 24);
  if (plot.up.empty()) {
    return svg + words(kChartWidth / 2.0, kChartHeight / 2.0, "m", "nothing yet") + "\n";
  }
  add_axes(svg, chart, plot);
  add_stages(svg, chart, plot);
  for (const ChartLine& line : chart.lines) add_line(svg, line, plot);
  return svg;
}

std::string colours(const std::vector<const char*>& values) {
  constexpr const char* kNames[] = {"c0", "c1", "c2", "c3", "ink", "pale", "rule"};
  std::string css;
  for (size_t i = 0; i < values.size(); ++i) css += fmt::format("--{}:{};", kNames[i], values[i]);
  return css;
}

}  // namespace

std::string chart_style() {
  std::string css =
      ":root{" +
      colours({"#1b6ca8", "#c2410c", "#2f7d32", "#7b3fa0", "#24292f", "#5b6470", "#dfe3e8"}) +
      "}\n@media(prefers-color-scheme:dark){:root{" +
      colours({"#6cb6ff", "#f69d50", "#6bc46d", "#c596f0", "#e3e7ec", "#9aa4b0", "#333a43"}) +
      "}}\n"
      "svg text{font:11px system-ui,sans-serif;fill:var(--pale)}"
      "svg .h{font-weight:600;font-size:12.5px;fill:var(--ink)}svg .s{fill:var(--ink)}"
      "svg .m{text-anchor:middle}svg .e{text-anchor:end}"
      "svg .g{stroke:var(--rule)}svg .a{stroke:var(--pale)}"
      "svg .b{stroke:var(--pale);stroke-dasharray:3 3}svg .v{fill:var(--pale)}"
      "svg .l{fill:none;stroke-width:1.6}svg .f{fill:none;stroke-width:1;opacity:.35}";
  for (size_t i = 0; i < kChartColours; ++i) {
    css += fmt::format("svg .c{0}{{stroke:var(--c{0})}}svg .d{0}{{fill:var(--c{0})}}", i);
  }
  return css + "\n";
}

std::string chart_svg(const Chart& chart) {
  return fmt::format(
      "<svg class=\"chart\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">\n{}</svg>\n",
      escaped(chart.title), kChartWidth, kChartHeight, body_of(chart));
}

std::string charts_file(std::span<const Chart> charts) {
  std::string body;
  int left = 0;
  for (const Chart& chart : charts) {
    body += fmt::format("<g transform=\"translate({},0)\">\n{}</g>\n", left, body_of(chart));
    left += kChartWidth + 10;
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\">\n<style>{2}</style>\n{3}</svg>\n",
      std::max(left, 1), kChartHeight, chart_style(), body);
}

}  // namespace sightline
