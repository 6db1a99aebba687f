#pragma once
// What `data check` finds in the tables of a recipe.

#include "bundle/input_form.h"
#include "data/check.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sightline {

// Two tables that hold the same pictures. A leak where one is trained on and the other judged by.
struct Overlap {
  const TableCheck* first;
  const TableCheck* second;
  std::vector<SamePicture> pictures;
  bool is_leak;
};

struct Findings {
  std::vector<TableCheck> tables;  // in the order of their names; `overlaps` points to them
  std::vector<Overlap> overlaps;
  std::set<std::string> trained_and_judged;  // tables that are both

  int64_t bad() const;    // samples
  int64_t leaks() const;  // pairs of tables, and tables that are both
};

// A table as the recipe's stages learn from it: bad samples are the caller's to meet, one by one,
// and long conversations split where it says so. `encoder` must outlive the call alone.
std::unique_ptr<Dataset> open_as_trained(const Recipe& recipe, const std::string& name,
                                         const InputForm& form, const SampleEncoder& encoder);

// Looks through every table on `workers` threads, with progress. A table whose file is broken as a
// whole is an Error.
Findings findings_in(const Recipe& recipe, int64_t workers);

}  // namespace sightline
