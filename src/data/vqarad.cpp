// The reader of VQA-RAD's questions (VQA_RAD Dataset Public.json).

#include "base/error.h"
#include "data/asked.h"
#include "data/folds.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <utility>

namespace sightline {

namespace {

// The published file has numbers among ids and answers.
std::string text_at(const Json& row, const char* key, const std::string& where) {
  check(row.contains(key), "{}: the key \"{}\" is missing", where, key);
  if (row[key].is_number_integer()) return row[key].dump();
  return words_at(row, key, where);
}

// "freeform" and "para" are asked in training, "test_freeform" and "test_para" in the test.
bool is_of_test(const Json& row, const std::string& where) {
  const auto type = json_get<std::string>(row, "phrase_type", where);
  const bool is_test = type.starts_with("test_");
  const std::string phrase = is_test ? type.substr(5) : type;
  check(phrase == "freeform" || phrase == "para",
        "{}: \"phrase_type\" is \"{}\"; it may be \"freeform\" or \"para\", or one of these after "
        "\"test_\"",
        where, type);
  return is_test;
}

std::string kind_at(const Json& row, const std::string& where) {
  const std::string type = words_at(row, "answer_type", where);
  const std::string_view word = trimmed(type);
  check(word == "OPEN" || word == "CLOSED",
        "{}: \"answer_type\" is \"{}\"; it may be \"OPEN\" or \"CLOSED\"", where, type);
  return word == "OPEN" ? "open" : "closed";
}

std::vector<AskedPicture> read_pictures(const DataRecipe& recipe) {
  const std::string& path = recipe.annotations;
  const Json root = read_json(path);
  check(root.is_array() && !root.empty(), "{}: is not a list of questions, or an empty one", path);
  AskedPictures pictures;
  for (size_t i = 0; i < root.size(); ++i) {
    const Json& object = root[i];
    const std::string where = fmt::format("{}: [{}]", path, i);
    // A row of which it cannot be told belongs to every split.
    const bool is_known =
        object.is_object() && object.contains("phrase_type") && object["phrase_type"].is_string();
    const bool of_test =
        is_known && object["phrase_type"].get_ref<const std::string&>().starts_with("test_");
    if (is_known && of_test != (recipe.split == "test")) continue;
    pictures.add(where, [&](AskedPictures::Row& row) {
      check(object.is_object(), "{}: is not an object", where);
      row.file = std::string(trimmed(words_at(object, "image_name", where)));
      pictures.check_new_id(text_at(object, "qid", where), where);
      is_of_test(object, where);
      row.question.words = words_at(object, "question", where);
      row.question.answers = {text_at(object, "answer", where)};
      row.question.kind = kind_at(object, where);
    });
  }
  return std::move(pictures).take();
}

// Of the training pictures those of the recipe's fold, or all others.
std::vector<AskedPicture> of_fold(const DataRecipe& recipe, std::vector<AskedPicture> pictures) {
  std::vector<std::string> files;
  for (const AskedPicture& picture : pictures) files.push_back(image_path(recipe, picture.file));
  const std::vector<int64_t> folds = folds_of(files, recipe.folds);
  std::vector<AskedPicture> kept;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const bool is_held_out = folds[i] == recipe.fold;
    if (is_held_out == (recipe.split == "validation")) kept.push_back(std::move(pictures[i]));
  }
  return kept;
}

}  // namespace

std::unique_ptr<Dataset> open_vqarad(const std::string&, const DataRecipe& recipe) {
  std::vector<AskedPicture> pictures = read_pictures(recipe);
  if (recipe.folds > 0) pictures = of_fold(recipe, std::move(pictures));
  return open_asked(recipe, std::move(pictures));
}

}  // namespace sightline
