#include "report/attention_page.h"

#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;
using testing::Not;

AttentionPage small() {
  return {.picture = "a \"b\".png",
          .image_type = "image/png",
          .image = "bytes",
          .width = 200,
          .height = 100,
          .left = 50,
          .top = 0,
          .square_width = 100,
          .square_height = 100,
          .seen = "The middle.",
          .cells_a_side = 2,
          .patches_a_side = 4,
          .heads = 3,
          .words = {{"a", {{0.1f, 0.2f, 0.3f, 0.05f}, {0, 0, 0, 0.00001f}}},
                    {"</script>", {{0, 0, 0, 0}, {0, 0, 0, 1}}}}};
}

TEST(AttentionPage, HoldsTheNumbersAndNothingFromElsewhere) {
  const std::string html = attention_page_html(small());
  const std::string open = "id=\"data\">";
  const size_t begin = html.find(open) + open.size();
  const Json data = parse_json(html.substr(begin, html.find("</script>", begin) - begin), "page");
  EXPECT_EQ(data["side"], 2);
  EXPECT_EQ(data["words"][0][0], Json({10000, 20000, 30000, 5000}));
  EXPECT_EQ(data["words"][0][1][3], 1);
  EXPECT_EQ(data["words"][1][1][3], 100000);
  EXPECT_THAT(html, HasSubstr("src=\"data:image/png;base64,Ynl0ZXM=\""));
  EXPECT_THAT(html, HasSubstr(">&lt;/script&gt;</button>"));
  EXPECT_THAT(html, HasSubstr("alt=\"a &quot;b&quot;.png\""));
  EXPECT_THAT(html, HasSubstr("2 x 2 patches, which share one row"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(html, HasSubstr("layer 2 of 2"));
  for (const char* outside : {"src=\"http", "href=\"http", "url(", "@import", "fetch("}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
}

// The grid lies over what the model saw: the middle half here.
TEST(AttentionPage, GridLiesOverWhatWasSeen) {
  const std::string crop = attention_page_html(small());
  EXPECT_THAT(crop, HasSubstr("aspect-ratio:2.00000"));
  EXPECT_THAT(crop, HasSubstr("left:25.0000%;top:0.0000%;width:50.0000%;height:100.0000%"));
  AttentionPage padded = small();
  padded.left = 0;
  padded.top = -50;
  padded.square_width = padded.square_height = 200;
  const std::string pad = attention_page_html(padded);
  EXPECT_THAT(pad, HasSubstr("aspect-ratio:1.00000"));
  EXPECT_THAT(pad, HasSubstr("left:0.0000%;top:25.0000%;width:100.0000%;height:50.0000%"));
}

}  // namespace
}  // namespace sightline
