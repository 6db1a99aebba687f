#pragma once
// A page of HTML that needs nothing else: its style, charts and pictures stand in it, it asks for
// nothing and runs no script. Light and dark, from 400 pixels up.

#include <string>
#include <vector>

namespace sightline {

struct PageSection {
  std::string title;
  std::string body;  // HTML
};

struct Page {
  std::string title;     // text
  std::string subtitle;  // text
  std::vector<PageSection> sections;
};

std::string page_html(const Page& page);

}  // namespace sightline
