// The reader of DAQUAR's questions as CSV (data_train.csv, data_eval.csv).

#include "base/error.h"
#include "data/asked.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace sightline {

namespace fs = std::filesystem;

namespace {

// The fields of a line; a quoted one may hold commas, and "" for a quote.
std::vector<std::string> fields_of(std::string_view line, const std::string& where) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      const bool doubled = quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (doubled) fields.back() += line[i++];
      if (!doubled) quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  check(!quoted, "{}: a quote is not closed", where);
  return fields;
}

// Where the columns stand.
struct Columns {
  size_t question = 0, answer = 0, image = 0, count = 0;

  Columns(std::string_view line, const std::string& where) {
    const std::vector<std::string> names = fields_of(line, where);
    const auto find = [&](const char* name) {
      const auto found = std::ranges::find(names, name);
      check(found != names.end(),
            "{}: no column \"{}\" in \"{}\": expected \"question,answer,image_id\"", where, name,
            line.substr(0, 80));
      return static_cast<size_t>(found - names.begin());
    };
    question = find("question");
    answer = find("answer");
    image = find("image_id");
    count = names.size();
  }
};

// The file, or the .csv files of a folder in the order of their names.
std::vector<std::string> files_at(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  check(!files.empty(), "{}: no .csv file in this folder", path);
  return files;
}

class DaquarReader {
 public:
  explicit DaquarReader(const DataRecipe& recipe) : recipe_(recipe) {
    if (!recipe.split.empty()) read_split();
  }

  std::vector<AskedPicture> read() && {
    for (const std::string& file : files_at(recipe_.annotations)) read_file(file);
    return std::move(pictures_).take();
  }

 private:
  void read_split() {
    const LineFile lines(recipe_.split);
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool is_new = wanted_.emplace(trimmed(lines.line(i))).second;
      check(is_new, "{}: the picture {} is there already", lines.where(i), trimmed(lines.line(i)));
    }
  }

  void read_file(const std::string& file) {
    const LineFile lines(file);
    const Columns columns(lines.line(0), lines.where(0));
    for (size_t i = 1; i < lines.size(); ++i) {
      const std::string where = lines.where(i);
      std::vector<std::string> fields;
      std::string problem;
      try {
        fields = fields_of(lines.line(i), where);
        check(fields.size() == columns.count, "{}: has {} fields, and the first line {}", where,
              fields.size(), columns.count);
      } catch (const Error& error) {
        problem = error.what();
      }
      if (problem.empty() && !is_wanted(fields[columns.image])) continue;
      pictures_.add(where, [&](AskedPictures::Row& row) {
        check(problem.empty(), "{}", problem);
        const std::string_view image = trimmed(fields[columns.image]);
        check(!image.empty(), "{}: \"image_id\" is empty", where);
        row.file = picture_name(recipe_.image_names, image, "");
        row.question.words = fields[columns.question];
        row.question.answers = {fields[columns.answer]};
      });
    }
  }

  // A row without a picture is one to complain of, whatever the split.
  bool is_wanted(std::string_view image) const {
    const std::string name(trimmed(image));
    return wanted_.empty() || name.empty() || wanted_.contains(name);
  }

  const DataRecipe& recipe_;
  AskedPictures pictures_;
  std::set<std::string> wanted_;  // empty: all
};

}  // namespace

std::unique_ptr<Dataset> open_daquar(const std::string&, const DataRecipe& recipe) {
  return open_asked(recipe, DaquarReader(recipe).read());
}

}  // namespace sightline
