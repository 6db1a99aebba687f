#include "report/html.h"

#include "base/error.h"

#include <cstdint>

namespace sightline {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t b = 0; b < 3; ++b) {
      bits = bits << 8 | (b < three.size() ? static_cast<uint8_t>(three[b]) : 0u);
    }
    for (size_t c = 0; c < 4; ++c) {
      text += c <= three.size() ? kBase64[bits >> (18 - 6 * c) & 63] : '=';
    }
  }
  return text;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string data_uri(std::string_view media_type, std::string_view bytes) {
  return fmt::format("data:{};base64,{}", media_type, base64(bytes));
}

std::string table_html(std::span<const HtmlRow> rows) {
  std::string html = "<div class=\"wide\"><table>\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    SL_ASSERT(rows[r].size() == rows[0].size(), "row {} has {} cells, the head {}", r,
              rows[r].size(), rows[0].size());
    const char* cell = r == 0 ? "th" : "td";
    html += "<tr>";
    for (const std::string& text : rows[r]) {
      html += fmt::format("<{0}>{1}</{0}>", cell, escaped(text));
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace sightline
