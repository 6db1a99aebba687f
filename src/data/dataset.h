#pragma once
// Readers: a data table of the recipe -> examples by number. Annotations are read and checked whole
// when a dataset is opened; pictures are opened later, by the loader.

#include "recipe/recipe.h"
#include "sample/example.h"

#include <cstddef>
#include <memory>
#include <string>

namespace sightline {

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual size_t size() const = 0;
  // Safe to call from several threads; the same number gives the same example.
  virtual Example example(size_t number) const = 0;
};

// `name` is the table's ([data.<name>]), for errors.
std::unique_ptr<Dataset> open_dataset(const std::string& name, const DataRecipe& recipe);

}  // namespace sightline
