#include "data/asked.h"

#include "base/commonest.h"
#include "base/error.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace sightline {

namespace {

constexpr std::string_view kQuestionMark = "{question}";

std::string replaced_all(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// "{id:012}" -> the id with zeros before it.
std::string with_padded_id(std::string name, std::string_view id) {
  constexpr std::string_view kBegin = "{id:0";
  const size_t begin = name.find(kBegin);
  if (begin == name.npos) return name;
  const char* first = name.data() + begin + kBegin.size();
  size_t width = 0;
  const auto [end, code] = std::from_chars(first, name.data() + name.size(), width);
  check(code == std::errc() && end != name.data() + name.size() && *end == '}' && width <= 64,
        "image_names = \"{}\": after \"{{id:0\" expected a width of at most 64 and \"}}\"", name);
  std::string padded(width > id.size() ? width - id.size() : 0, '0');
  padded += id;
  return name.replace(begin, static_cast<size_t>(end + 1 - name.data()) - begin, padded);
}

class AskedDataset final : public Dataset {
 public:
  AskedDataset(const DataRecipe& recipe, std::vector<AskedPicture> pictures)
      : recipe_(recipe), pictures_(std::move(pictures)) {
    check(!pictures_.empty(), "{}: holds no question of a picture that is asked for",
          recipe.annotations);
    if (recipe.limit > 0 && static_cast<size_t>(recipe.limit) < pictures_.size()) {
      pictures_.resize(static_cast<size_t>(recipe.limit));
    }
    check_examples(*this, recipe_);
  }

  size_t size() const override { return pictures_.size(); }

  Example example(size_t number) const override {
    const AskedPicture& picture = pictures_[number];
    check(picture.problem.empty(), "{}", picture.problem);
    Example example{.where = picture.where};
    example.images = {ImageSource{.path = image_path(recipe_, picture.file)}};
    for (const AskedQuestion& question : picture.questions) {
      const std::string words =
          replaced_all(recipe_.prompt, kQuestionMark, trimmed(question.words));
      add_exchange(example, words, commonest(question.answers));
      example.kinds.push_back(question.kind);
      example.answers.push_back(question.answers);
    }
    return example;
  }

 private:
  DataRecipe recipe_;
  std::vector<AskedPicture> pictures_;
};

void check_question(const AskedPictures::Row& row, const std::string& where) {
  check(!trimmed(row.question.words).empty(), "{}: the question is empty", where);
  check(!row.question.answers.empty(), "{}: has no answer", where);
  check(!trimmed(commonest(row.question.answers)).empty(), "{}: the answer is empty", where);
}

}  // namespace

void AskedPictures::add(const std::string& where, const std::function<void(Row&)>& read) {
  Row row;
  std::string problem;
  try {
    read(row);
    check_question(row, where);
  } catch (const Error& error) {
    problem = error.what();
  }
  if (row.file.empty()) {
    SL_ASSERT(!problem.empty(), "{}: a question without a picture", where);
    return pictures_.push_back({.where = where, .problem = std::move(problem)});
  }
  AskedPicture& picture = picture_of(row.file, where);
  if (problem.empty()) {
    picture.questions.push_back(std::move(row.question));
  } else if (picture.problem.empty()) {
    picture.problem = std::move(problem);
  }
}

void AskedPictures::check_new_id(const std::string& id, const std::string& where) {
  const auto [first, is_new] = where_of_id_.try_emplace(id, where);
  check(is_new, "{}: the question {} is there already, at {}", where, id, first->second);
}

AskedPicture& AskedPictures::picture_of(const std::string& file, const std::string& where) {
  const auto [found, is_new] = picture_of_file_.try_emplace(file, pictures_.size());
  if (is_new) pictures_.push_back({.where = where, .file = file});
  return pictures_[found->second];
}

std::unique_ptr<Dataset> open_asked(const DataRecipe& recipe, std::vector<AskedPicture> pictures) {
  return std::make_unique<AskedDataset>(recipe, std::move(pictures));
}

std::string picture_name(std::string_view names, std::string_view id, std::string_view split) {
  std::string name = replaced_all(std::string(names), "{split}", split);
  return with_padded_id(replaced_all(std::move(name), "{id}", id), id);
}

std::string open_or_closed(std::string_view answer) {
  std::string word(trimmed(answer));
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "yes" || word == "no" ? "closed" : "open";
}

}  // namespace sightline
