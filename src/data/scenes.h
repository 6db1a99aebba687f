#pragma once
// Generated scenes as a dataset: format = "scenes" in a recipe's data table. Nothing is stored: an
// example is made from (seed, split, number) when it is asked for, picture and words.
//
//   split     train | validation | unseen (scene.h)
//   task      caption   the picture with 3 captions (5 in validation and unseen, as references)
//             question  train: the picture with 6 questions; else one question, its `kind` named
//             both      the picture with 3 captions and 6 questions
//             text      no picture: the scene told in words in its place, and what `both` says
//                       of it, with 6 more questions; validation and unseen: one question, as
//                       `question` has it, to see what a language model makes of words alone
//
// A caption follows `prompt` as the user's turn.
// `count` is the number of scenes. The scene of a number is the same in every task.

#include "data/dataset.h"
#include "recipe/recipe.h"

#include <memory>
#include <string>

namespace sightline {

// A missing count, or an unknown split or task, is a UsageError naming the table and the key.
std::unique_ptr<Dataset> open_scenes(const std::string& name, const DataRecipe& recipe);

}  // namespace sightline
