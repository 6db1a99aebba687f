#include "report/row_map.h"

#include "base/error.h"
#include "report/html.h"

#include <algorithm>

namespace sightline {

namespace {

// In pixels.
constexpr double kPanel = 560, kRuler = 8, kLabels = 150, kTop = 52, kBetween = 40, kLegend = 34;

constexpr SchemeRules kRules = {
    .light =
        "text{font:11px sans-serif;fill:#333}.t{font-weight:bold}.h{fill:#f0f0f0}"
        ".d{fill:none;stroke:#888;stroke-width:.5}",
    .dark = "text{fill:#ccc}.h{fill:#25282c}"};

std::string words(double x, double y, const std::string& attributes, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", x, y, attributes,
                     escaped(text));
}

struct Point {
  double x, y;
};

// Rows [0, rows) drawn from `origin`, `scale` pixels a row.
class Panel {
 public:
  Panel(const RowMap& map, int64_t rows, Point origin)
      : map_(map), rows_(rows), origin_(origin), scale_(kPanel / static_cast<double>(rows)) {}

  std::string draw() const {
    std::string text = rectangle("h", 0, 0, rows_, rows_) + "\n";
    for (const RowArea& area : map_.areas) {
      if (area.query_begin < rows_) text += of_area(area);
    }
    return text + rulers() + outlines();
  }

  // The names of spans that are tall enough for one, beside the panel.
  std::string labels() const {
    constexpr double kLine = 11;
    std::string text;
    double last = -kLine;
    for (const RowSpan& span : map_.spans) {
      const double height = scale_ * static_cast<double>(span.end - span.begin);
      const double y = at(origin_.y, span.begin) + height / 2 + 4;
      if (span.begin >= rows_ || height < 6 || y < last + kLine) continue;
      last = y;
      text += words(origin_.x - kRuler - 6, y, " text-anchor=\"end\"", span.label);
    }
    return text;
  }

 private:
  double at(double origin, int64_t row) const { return origin + scale_ * static_cast<double>(row); }

  std::string rectangle(const std::string& kind, int64_t x, int64_t y, int64_t right,
                        int64_t bottom) const {
    return fmt::format(
        "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" "
        "height=\"{:.2f}\"/>",
        kind, at(origin_.x, x), at(origin_.y, y), scale_ * static_cast<double>(right - x),
        scale_ * static_cast<double>(bottom - y));
  }

  // The keys [begin, end) of rows that each see what is not behind them, down to row `bottom`.
  std::string slope(const std::string& kind, int64_t begin, int64_t end, int64_t bottom) const {
    return fmt::format("<path class=\"{}\" d=\"M{:.2f} {:.2f}L{:.2f} {:.2f}V{:.2f}H{:.2f}z\"/>",
                       kind, at(origin_.x, begin), at(origin_.y, begin), at(origin_.x, end),
                       at(origin_.y, end), at(origin_.y, bottom), at(origin_.x, begin));
  }

  std::string of_area(const RowArea& area) const {
    std::string text;
    for (const RowSpan& keys : map_.spans) {
      const int64_t begin = std::max(keys.begin, area.key_begin);
      const int64_t end = std::min(keys.end, area.key_end);
      if (begin >= end) continue;
      const std::string kind = fmt::format("k{}", keys.kind);
      text += area.shape == RowArea::Shape::full
                  ? rectangle(kind, begin, area.query_begin, end, area.query_end)
                  : slope(kind, begin, end, area.query_end);
    }
    return text + "\n";
  }

  // What each row is, along the top and the left side.
  std::string rulers() const {
    std::string text;
    for (const RowSpan& span : map_.spans) {
      if (span.begin >= rows_) break;
      const double length = scale_ * static_cast<double>(span.end - span.begin);
      const std::string format =
          "<rect class=\"k{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" "
          "height=\"{:.2f}\"/>";
      text += fmt::format(fmt::runtime(format), span.kind, at(origin_.x, span.begin),
                          origin_.y - kRuler - 2, length, kRuler);
      text += fmt::format(fmt::runtime(format), span.kind, origin_.x - kRuler - 2,
                          at(origin_.y, span.begin), kRuler, length);
    }
    return text + "\n";
  }

  // A square around each document, which tells its name where the pointer rests.
  std::string outlines() const {
    std::string text;
    for (size_t i = 0; i < map_.spans.size();) {
      size_t end = i;
      while (end < map_.spans.size() && map_.spans[end].document == map_.spans[i].document) ++end;
      const int64_t first = map_.spans[i].begin, last = map_.spans[end - 1].end;
      if (first >= rows_) break;
      std::string square = rectangle("d", first, first, last, last);
      square.replace(square.size() - 2, 2, " pointer-events=\"all\">");
      text += square + "<title>" + escaped(map_.documents.at(map_.spans[i].document)) +
              "</title></rect>\n";
      i = end;
    }
    return text;
  }

  const RowMap& map_;
  int64_t rows_;
  Point origin_;
  double scale_;
};

// Rows of the first documents that have at most `most` rows together, one document at least.
int64_t rows_of_first_documents(const RowMap& map, int64_t most) {
  int64_t rows = 0;
  for (size_t i = 0; i < map.spans.size(); ++i) {
    const bool closes =
        i + 1 == map.spans.size() || map.spans[i + 1].document != map.spans[i].document;
    if (closes && (rows == 0 || map.spans[i].end <= most)) rows = map.spans[i].end;
  }
  return rows;
}

std::string legend(const RowMap& map, double y) {
  std::string text;
  double x = kRuler + 4;
  for (size_t i = 0; i < map.kinds.size(); ++i) {
    int64_t rows = 0;
    for (const RowSpan& span : map.spans) rows += span.kind == i ? span.end - span.begin : 0;
    const std::string name = fmt::format("{}: {} rows", map.kinds[i].name, rows);
    text += fmt::format(
        "<rect class=\"k{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\"/>", i, x, y);
    text += words(x + 17, y + 10, "", name);
    x += 34 + 6.2 * static_cast<double>(name.size());
  }
  return text + words(x, y + 10, "", "a line is the row that looks, a column what it looks at");
}

int64_t pairs_seen(const RowMap& map, const RowSpan& queries, const RowSpan& keys) {
  int64_t pairs = 0;
  for (const RowArea& area : map.areas) {
    const int64_t begin = std::max(keys.begin, area.key_begin);
    const int64_t end = std::min(keys.end, area.key_end);
    for (int64_t q = std::max(queries.begin, area.query_begin);
         q < std::min(queries.end, area.query_end); ++q) {
      const int64_t last = area.shape == RowArea::Shape::full ? end : std::min(end, q + 1);
      pairs += std::max<int64_t>(0, last - begin);
    }
  }
  return pairs;
}

}  // namespace

std::string row_map_svg(const RowMap& map, int64_t near_rows) {
  SL_ASSERT(map.rows() > 0, "a drawing of nothing");
  const int64_t near = rows_of_first_documents(map, near_rows);
  const Panel all(map, map.rows(), {kRuler + 4, kTop});
  const double left = kRuler + 4 + kPanel + kBetween + kLabels;
  const Panel first(map, near, {left, kTop});
  const double width = left + kPanel + 4, height = kTop + kPanel + kLegend;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" "
             "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
             width, height) +
         style_of(map.kinds, kRules) + words(kRuler + 4, 16, " class=\"t\"", map.title) +
         words(kRuler + 4, 34, "", fmt::format("all {} rows", map.rows())) +
         words(left, 34, "", fmt::format("the first {} rows, larger", near)) + all.draw() +
         first.draw() + first.labels() + legend(map, kTop + kPanel + 14) + "</svg>\n";
}

std::string row_map_text(const RowMap& map, size_t documents) {
  std::vector<RowSpan> spans;
  size_t width = 0;
  for (const RowSpan& span : map.spans) {
    if (span.document >= documents) break;
    spans.push_back(span);
    width = std::max(width, span.label.size());
  }
  std::string text = map.title + "\n";
  for (size_t q = 0; q < spans.size(); ++q) {
    const bool opens = q == 0 || spans[q].document != spans[q - 1].document;
    if (opens) text += map.documents.at(spans[q].document) + "\n";
    text += fmt::format("  {:<{}} ", spans[q].label, width);
    for (size_t k = 0; k < spans.size(); ++k) {
      if (k > 0 && spans[k].document != spans[k - 1].document) text += " ";
      const int64_t seen = pairs_seen(map, spans[q], spans[k]);
      const int64_t all = (spans[q].end - spans[q].begin) * (spans[k].end - spans[k].begin);
      text += seen == 0 ? " ." : seen == all ? " #" : " \\";
    }
    text += "\n";
  }
  return text;
}

}  // namespace sightline
