// tsv: a line an example, "picture<TAB>caption".

#include "base/error.h"
#include "base/file.h"
#include "data/readers.h"

#include <sstream>

namespace sightline {
namespace {

class Tsv : public Dataset {
 public:
  explicit Tsv(const DataRecipe& recipe) : recipe_(recipe) {
    std::istringstream lines(read_file(recipe.annotations));
    for (std::string line; std::getline(lines, line);) lines_.push_back(line);
  }

  size_t size() const override { return lines_.size(); }

  Example example(size_t number) const override {
    const std::string& line = lines_.at(number);
    Example example{.where = fmt::format("{}:{}", recipe_.annotations, number + 1)};
    const size_t tab = line.find('\t');
    check(tab != std::string::npos, "{}: no tab between picture and caption", example.where);
    example.images.push_back({.path = image_path(recipe_, line.substr(0, tab))});
    add_exchange(example, recipe_.prompt, line.substr(tab + 1));
    return example;
  }

 private:
  DataRecipe recipe_;
  std::vector<std::string> lines_;
};

}  // namespace

std::unique_ptr<Dataset> open_tsv(const std::string&, const DataRecipe& recipe) {
  auto dataset = std::make_unique<Tsv>(recipe);
  check_examples(*dataset, recipe);
  return dataset;
}

}  // namespace sightline
