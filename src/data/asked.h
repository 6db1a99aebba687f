#pragma once
// Inside data/: questions about pictures, as the rows of a file, and the pictures that they make.

#include "data/dataset.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sightline {

struct AskedQuestion {
  std::string words;
  std::vector<std::string> answers;  // all that people gave, at least one
  std::string kind;                  // may be empty
};

struct AskedPicture {
  std::string where;  // of its first question
  std::string file;   // relative to the recipe's `images`
  std::vector<AskedQuestion> questions;
  std::string problem;  // not empty: the Error that its example is
};

// Gathers questions by picture, in the order in which pictures come first.
class AskedPictures {
 public:
  // A row of the file. `read` names the picture's file, then the question: an Error after the file
  // is that picture's problem, one before it that of an example of its own. `where` is the row's.
  struct Row {
    std::string file;
    AskedQuestion question;
  };
  void add(const std::string& where, const std::function<void(Row&)>& read);

  // Error: a question of this id was there before.
  void check_new_id(const std::string& id, const std::string& where);

  std::vector<AskedPicture> take() && { return std::move(pictures_); }

 private:
  AskedPicture& picture_of(const std::string& file, const std::string& where);

  std::vector<AskedPicture> pictures_;
  std::unordered_map<std::string, size_t> picture_of_file_;
  std::unordered_map<std::string, std::string> where_of_id_;
};

// One example a picture, its questions as conversations: `prompt` with the question put in, and
// the answer that most people gave (of equals the first). Checked as readers.h says.
std::unique_ptr<Dataset> open_asked(const DataRecipe& recipe, std::vector<AskedPicture> pictures);

// `names` with "{id}" replaced by `id`, "{id:012}" by it with zeros before it to 12 characters,
// "{split}" by `split`.
std::string picture_name(std::string_view names, std::string_view id, std::string_view split);

// "closed" for yes or no, else "open", as medical work calls its questions.
std::string open_or_closed(std::string_view answer);

}  // namespace sightline
