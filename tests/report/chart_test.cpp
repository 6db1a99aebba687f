// Charts: where things are drawn, and what is kept of long curves.

#include "report/chart.h"

#include <cmath>
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The points of the drawing's first curve.
std::vector<std::pair<double, double>> curve_of(const std::string& svg) {
  std::vector<std::pair<double, double>> points;
  const size_t begin = svg.find(" d=\"", svg.find("class=\"l c"));
  for (size_t at = begin + 4; at < svg.size() && svg[at] != '"';) {
    double x = 0, y = 0;
    int used = 0;
    EXPECT_EQ(std::sscanf(svg.c_str() + at + 1, "%lf %lf%n", &x, &y, &used), 2);
    points.emplace_back(x, y);
    at += 1 + static_cast<size_t>(used);
  }
  return points;
}

Chart chart_of(std::vector<ChartPoint> points) {
  return {.title = "Loss", .y_label = "nats", .lines = {{"one", 0, LineStyle::line, points}}};
}

TEST(Chart, TicksAreRoundAndInside) {
  EXPECT_THAT(round_ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(round_ticks(-0.3, 0.31, 3),
              ElementsAre(testing::DoubleNear(-0.2, 1e-9), 0.0, testing::DoubleNear(0.2, 1e-9)));
  EXPECT_THAT(round_ticks(1203, 1290, 4), ElementsAre(1220, 1240, 1260, 1280));
}

TEST(Chart, NumbersAreShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(1234), "1.23k");
  EXPECT_EQ(short_number(-2.5e6), "-2.5M");
  EXPECT_EQ(short_number(0.01), "0.01");
  EXPECT_EQ(short_number(0.0015), "1.5e-3");
  EXPECT_EQ(short_number(2e-5), "2e-5");
  EXPECT_EQ(short_number(kNoValue), "none");
}

TEST(Chart, ThinnedKeepsExtremesOrderAndBreaks) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 10000; ++i) points.push_back({.x = 1.0 * i, .y = std::sin(i * 0.01)});
  points[4321].y = 50;
  points[7001].y = -50;
  points[5000].y = kNoValue;
  const std::vector<ChartPoint> kept = thinned(points, 100);
  EXPECT_LE(kept.size(), 203u);
  bool top = false, bottom = false, broken = false;
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_GT(kept[i].x, i == 0 ? -1 : kept[i - 1].x);
    top |= kept[i].x == 4321 && kept[i].y == 50;
    bottom |= kept[i].x == 7001 && kept[i].y == -50;
    broken |= std::isnan(kept[i].y);
  }
  EXPECT_TRUE(top && bottom && broken);
  EXPECT_EQ(thinned(std::span(points).first(200), 100).size(), 200u) << "short ones stay whole";
}

TEST(Chart, PlacesAreLinear) {
  const auto points = curve_of(chart_svg(chart_of({{0, 1}, {5, 2}, {10, 3}})));
  ASSERT_EQ(points.size(), 3u);
  EXPECT_NEAR(points[1].first, (points[0].first + points[2].first) / 2, 0.11);
  EXPECT_NEAR(points[1].second, (points[0].second + points[2].second) / 2, 0.11);
  EXPECT_GT(points[0].second, points[2].second) << "up is less";
  for (const auto& [x, y] : points) {
    EXPECT_TRUE(x >= 0 && x <= kChartWidth && y >= 0 && y <= kChartHeight);
  }
}

TEST(Chart, PlacesAreLogarithmicAndZeroBreaksTheLine) {
  Chart chart = chart_of({{0, 0.01}, {5, 0.1}, {6, 0}, {10, 1}});
  chart.scale = ChartScale::log;
  const auto points = curve_of(chart_svg(chart));
  ASSERT_EQ(points.size(), 3u);
  EXPECT_NEAR(points[1].second, (points[0].second + points[2].second) / 2, 0.11);
}

TEST(Chart, NothingAndOnePointAreDrawnToo) {
  EXPECT_THAT(chart_svg(chart_of({})), HasSubstr("nothing yet"));
  EXPECT_THAT(chart_svg(chart_of({{3, kNoValue}})), HasSubstr("nothing yet"));
  const std::string one = chart_svg(chart_of({{3, 7}}));
  EXPECT_THAT(one, Not(HasSubstr("nan")));
  EXPECT_THAT(one, Not(HasSubstr("inf")));
}

TEST(Chart, AStageWithoutRoomIsNumbered) {
  Chart chart = chart_of({{1, 1}, {1000, 2}});
  chart.stages = {{"a stage of many words", 1, 40}, {"<b>", 41, 1000}};
  const std::string svg = chart_svg(chart);
  EXPECT_THAT(svg, HasSubstr(">1<title>a stage of many words</title>"));
  EXPECT_THAT(svg, HasSubstr(">&lt;b&gt;<title>"));
}

TEST(Chart, AFileHasItsColoursForLightAndDark) {
  const std::string svg = charts_file(std::vector<Chart>{chart_of({{1, 1}, {2, 2}})});
  EXPECT_THAT(svg, HasSubstr("xmlns="));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
}

}  // namespace
}  // namespace sightline
