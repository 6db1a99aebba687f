#pragma once
// A model says anew what is in the pictures of a list, as lines of training data. Pictures are
// taken in batches that the list alone decides, so that ranks which share them, and a run that goes
// on where another was stopped, write the lines of one that was left alone.

#include "evaluate/answer.h"
#include "evaluate/picture_list.h"
#include "evaluate/recaption_line.h"

#include <functional>
#include <span>
#include <string>

namespace sightline {

// What became of a picture.
struct Recaptioned {
  size_t number = 0;    // in the list
  std::string line;     // "" where nothing was said of it
  std::string problem;  // what is left out and why; may be empty
};

struct RecaptionOptions {
  DecodingRecipe decoding;  // its `batch` pictures are answered together
  Author author;
  OnBadSample on_bad_sample = OnBadSample::fail;  // of a picture that cannot be read
  size_t first = 0;                               // the pictures before it are done
  TaskShare share;
};

// Called on every rank, whichever rank looked at them, with the next pictures in order.
using EachRound = std::function<void(std::span<const Recaptioned>)>;

// A picture that cannot be read is an Error naming file and row, or a problem. So is an answer
// without words always: there is nothing in it to learn.
void recaption(const Bundle& bundle, const PictureList& list, const RecaptionOptions& options,
               const EachRound& each);

}  // namespace sightline
