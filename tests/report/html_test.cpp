// Text inside pages, and the page.

#include "report/html.h"

#include "report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, EscapesWhatHasAMeaning) {
  EXPECT_EQ(escaped("<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
  EXPECT_EQ(escaped("größer 猫"), "größer 猫");
}

TEST(Html, Base64OfRfc4648) {
  const std::string start = "data:text/plain;base64,";
  EXPECT_EQ(data_uri("text/plain", ""), start);
  EXPECT_EQ(data_uri("text/plain", "f"), start + "Zg==");
  EXPECT_EQ(data_uri("text/plain", "fo"), start + "Zm8=");
  EXPECT_EQ(data_uri("text/plain", "foobar"), start + "Zm9vYmFy");
  EXPECT_EQ(data_uri("text/plain", "\xff\xfe\xfd"), start + "//79");
}

TEST(Html, ATablesTextsAreEscaped) {
  const std::string html = table_html(std::vector<HtmlRow>{{"a<b"}, {"<script>"}});
  EXPECT_THAT(html, HasSubstr("<th>a&lt;b</th>"));
  EXPECT_THAT(html, HasSubstr("<td>&lt;script&gt;</td>"));
}

TEST(Html, APageAsksForNothing) {
  const std::string html = page_html({"a<b", "as & of", {{"one", "<p>x</p>"}}});
  EXPECT_THAT(html, HasSubstr("<h1>a&lt;b</h1>"));
  EXPECT_THAT(html, HasSubstr("as &amp; of"));
  EXPECT_THAT(html, HasSubstr("<p>x</p>"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  for (const char* outside : {"http:", "https:", "<script", "url(", "@import"}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
}

}  // namespace
}  // namespace sightline
