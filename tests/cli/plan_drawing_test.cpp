// A plan's drawing shows what the layout's rule allows, and nothing else.

#include "cli/plan_drawing.h"

#include "tests/batch/random_layout.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

int64_t times_shown(const RowMap& map, int64_t q, int64_t k) {
  return std::ranges::count_if(map.areas, [&](const RowArea& area) {
    return area.query_begin <= q && q < area.query_end && area.key_begin <= k && k < area.key_end &&
           (area.shape == RowArea::Shape::full || k <= q);
  });
}

TEST(PlanDrawing, AreasAreWhatTheRuleAllows) {
  Rng rng(3);
  for (const MaskPolicy policy : {MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix}) {
    for (int round = 0; round < 6; ++round) {
      const Batch batch = random_batch(rng, policy);
      const RowMap map = plan_drawing(batch, "t");
      for (int64_t q = 0; q < batch.rows(); ++q) {
        for (int64_t k = 0; k < batch.rows(); ++k) {
          ASSERT_EQ(times_shown(map, q, k), allowed(batch.layout, q, k) ? 1 : 0)
              << q << " looks at " << k;
        }
      }
    }
  }
}

TEST(PlanDrawing, SpansCoverRowsAndKeepKindsApart) {
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    const Batch batch = random_batch(rng, MaskPolicy::image);
    const RowMap map = plan_drawing(batch, "t");
    int64_t next = 0, learnt = 0;
    for (const RowSpan& span : map.spans) {
      ASSERT_EQ(span.begin, next);
      next = span.end;
      for (int64_t row = span.begin; row < span.end; ++row) {
        EXPECT_EQ(batch.tokens_T[row] == kImageRow, span.kind == 0);
        EXPECT_EQ(static_cast<size_t>(batch.layout.document_T[row]), span.document);
      }
      if (span.kind == 0) {
        EXPECT_EQ(span.end - span.begin, kRowsPerImage);
      }
      if (span.kind == 2) learnt += span.end - span.begin;
    }
    EXPECT_EQ(next, batch.rows());
    EXPECT_EQ(learnt, batch.num_predictions());
  }
}

TEST(PlanDrawing, NamesDocumentsBranchesAndImages) {
  Sample sample{.where = "captions.jsonl:7", .images = {ImageSource{}}};
  Rows trunk;
  append_image(trunk);
  append(trunk, 9, RowKind::user);
  for (const int32_t word : {1, 2}) {
    sample.conversations.push_back(trunk);
    append(sample.conversations.back(), word, RowKind::assistant, true);
    append(sample.conversations.back(), 3, RowKind::assistant, true);
  }
  const Sample* pointer = &sample;
  const Batch batch = compose({&pointer, 1}, {MaskPolicy::image, kRowsPerImage});
  EXPECT_EQ(row_map_text(plan_drawing(batch, "t"), 1),
            "t\n"
            "document 1: captions.jsonl:7\n"
            "  image 1, 4 rows           # . . .\n"
            "  given, 1 row              # # . .\n"
            "  branch 1, learnt, 2 rows  # # \\ .\n"
            "  branch 2, learnt, 2 rows  # # . \\\n");
}

}  // namespace
}  // namespace sightline::test
