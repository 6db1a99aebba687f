#pragma once
// Inside data/: photographs with their captions, as the items of a JSON file.

#include "data/dataset.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sightline {

struct CaptionedPhoto {
  std::string where;                  // "file: images[3]"
  std::string file;                   // relative to the recipe's `images`
  std::vector<std::string> captions;  // as given
  std::string problem;                // not empty: the Error that its example is

  // Carries out `step`; an Error in it becomes the problem, unless there is one.
  void read(const std::function<void()>& step);
};

// One example a photograph, all its captions as conversations; checked as readers.h says. A
// photograph without a caption, or named before, has a problem too.
std::unique_ptr<Dataset> open_photos(const DataRecipe& recipe, std::vector<CaptionedPhoto> photos);

}  // namespace sightline
