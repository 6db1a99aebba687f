#include "report/page.h"

#include "report/chart.h"
#include "report/html.h"

#include <fmt/format.h>

namespace sightline {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--back:#fff;--card:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--back:#14181d;--card:#1c2229}}
*{box-sizing:border-box}
body{margin:0 auto;padding:16px;max-width:1360px;background:var(--back);color:var(--ink);
font:15px/1.45 system-ui,sans-serif}
h1{font-size:24px;margin:0}h2{font-size:18px;margin:28px 0 10px}
p{margin:6px 0}.pale{color:var(--pale)}
.charts,.samples{display:grid;gap:14px;grid-template-columns:repeat(auto-fill,minmax(min(100%,380px),1fr))}
.charts svg,.card{background:var(--card);border-radius:6px;padding:6px;width:100%;height:auto}
.card{padding:12px;overflow-wrap:anywhere}.card img{display:block;max-width:100%;border-radius:4px}
.card dl{margin:8px 0 0}.card dt{color:var(--pale);font-size:12.5px}.card dd{margin:0 0 5px}
.card ul{margin:2px 0 0;padding-left:18px}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13.5px}
th:first-child,td:first-child{color:var(--pale)}
th,td{padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);
min-width:52px;max-width:340px}
th{color:var(--pale);font-weight:600}
pre{background:var(--card);padding:12px;border-radius:6px;overflow-x:auto;font-size:12.5px}
)";

}  // namespace

std::string page_html(const Page& page) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{0}</title>\n<style>\n{1}{2}</style></head>\n"
      "<body>\n<h1>{0}</h1>\n<p class=\"pale\">{3}</p>\n",
      escaped(page.title), chart_style(), kStyle, escaped(page.subtitle));
  for (const PageSection& section : page.sections) {
    html +=
        fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escaped(section.title), section.body);
  }
  return html + "</body></html>\n";
}

}  // namespace sightline
