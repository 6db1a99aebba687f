#pragma once
// Pieces of HTML and SVG as text.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// `text` with the characters that HTML and SVG give a meaning replaced, in attributes too.
std::string escaped(std::string_view text);

// "data:image/png;base64,...", for an image inside the page.
std::string data_uri(std::string_view media_type, std::string_view bytes);

using HtmlRow = std::vector<std::string>;

// A table of texts, which are escaped; the first row is its head. All rows are of one length.
std::string table_html(std::span<const HtmlRow> rows);

}  // namespace sightline
