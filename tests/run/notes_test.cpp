#include "run/notes.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Notes, KeepTheBestTiesToTheEarlier) {
  Notes higher, lower;
  const EvalRecipe by_score{.best = "CIDEr"}, by_loss{.best = "validation_loss"};
  EXPECT_TRUE(higher.take(0.5, 1, by_score));
  EXPECT_FALSE(higher.take(0.5, 2, by_score));
  EXPECT_TRUE(higher.take(0.6, 3, by_score));
  EXPECT_EQ(higher.best_step, 3);
  EXPECT_TRUE(lower.take(0.5, 1, by_loss));
  EXPECT_FALSE(lower.take(0.6, 2, by_loss));
  EXPECT_TRUE(lower.take(0.4, 3, by_loss));
}

TEST(Notes, CountPatienceInAStageByThatStagesBest) {
  Notes notes;
  const EvalRecipe eval{.every = 1, .best = "CIDEr", .patience = 2};
  notes.begin_stage();
  notes.take(0.9, 1, eval);
  notes.take(0.8, 2, eval);
  EXPECT_FALSE(notes.out_of_patience(eval));
  notes.take(0.9, 3, eval);
  EXPECT_TRUE(notes.out_of_patience(eval));
  notes.begin_stage();  // worse data: the stage's own scores count
  EXPECT_FALSE(notes.out_of_patience(eval));
  EXPECT_FALSE(notes.take(0.2, 4, eval));
  notes.take(0.1, 5, eval);
  EXPECT_FALSE(notes.take(0.3, 6, eval));
  notes.take(0.2, 7, eval);
  EXPECT_FALSE(notes.out_of_patience(eval));
  notes.take(0.2, 8, eval);
  EXPECT_TRUE(notes.out_of_patience(eval));
  EXPECT_EQ(notes.best, 0.9);
  EXPECT_FALSE(notes.out_of_patience({}));  // no bound
}

TEST(Notes, GoThroughACheckpointUnchanged) {
  Notes notes{.seconds = 1.25, .best = 0.5, .best_step = 3, .stage_best = {}, .without_better = 2};
  EXPECT_EQ(to_json(notes_from_json(to_json(notes))), to_json(notes));
  notes.stage_best = 0.1;
  EXPECT_EQ(notes_from_json(to_json(notes)).stage_best, 0.1);
}

}  // namespace
}  // namespace sightline
