// The reader of plain text: one document a line.

#include "data/line_file.h"
#include "data/readers.h"

namespace sightline {

namespace {

class TextDataset : public Dataset {
 public:
  explicit TextDataset(const DataRecipe& recipe) : lines_(recipe.annotations) {
    if (recipe.limit > 0) lines_.limit_to(static_cast<size_t>(recipe.limit));
  }

  size_t size() const override { return lines_.size(); }

  Example example(size_t number) const override {
    const std::string_view line = lines_.line(number);
    Example example{.where = lines_.where(number)};
    example.conversations = {{Turn{.role = Role::assistant, .text = std::string(trimmed(line))}}};
    example.references = {std::string(line)};
    return example;
  }

 private:
  LineFile lines_;
};

}  // namespace

std::unique_ptr<Dataset> open_text(const std::string&, const DataRecipe& recipe) {
  return std::make_unique<TextDataset>(recipe);
}

}  // namespace sightline
