// The reader of PathVQA's questions: the rows of train_qa.pkl, as the pickle that they are
// published as or as JSON, and the pictures with their questions of pvqa_train.json.

#include "base/error.h"
#include "base/file.h"
#include "data/asked.h"
#include "data/line_file.h"
#include "data/pickle.h"
#include "data/readers.h"

#include <algorithm>
#include <utility>

namespace sightline {

namespace {

class PathvqaReader {
 public:
  explicit PathvqaReader(const DataRecipe& recipe) : recipe_(recipe) {}

  std::vector<AskedPicture> read() && {
    const std::string& path = recipe_.annotations;
    const std::string bytes = read_file(path);
    const Json root = is_pickle(bytes) ? parse_pickle(bytes, path) : parse_json(bytes, path);
    check(root.is_array() && !root.empty(), "{}: is not a list of questions, or an empty one",
          path);
    for (size_t i = 0; i < root.size(); ++i) {
      const std::string where = fmt::format("{}: [{}]", path, i);
      if (root[i].is_object() && root[i].contains("img_id")) {
        read_picture(root[i], where);
      } else {
        read_row(root[i], where);
      }
    }
    return std::move(pictures_).take();
  }

 private:
  // {"image": "train_0422", "question": "...", "answer": "..."}
  void read_row(const Json& object, const std::string& where) {
    pictures_.add(where, [&](AskedPictures::Row& row) {
      check(object.is_object(), "{}: is not an object with \"image\", \"question\", \"answer\"",
            where);
      row.file = file_at(object, "image", where);
      row.question.words = words_at(object, "question", where);
      set_answers(row, {words_at(object, "answer", where)});
    });
  }

  // {"img_id": "train_0001", "sentf": {"pvqa": ["...", ...]}, "labelf": {"pvqa": [{"yes": 1}]}}
  void read_picture(const Json& object, const std::string& where) {
    const Json* questions = nullptr;
    const Json* labels = nullptr;
    size_t count = 0;
    const auto find = [&] {
      questions = &list_in(object, "sentf", where);
      labels = &list_in(object, "labelf", where);
      check(questions->size() == labels->size(), "{}: {} questions and {} answers", where,
            questions->size(), labels->size());
      count = questions->size();
    };
    if (const std::string problem = error_in(find); !problem.empty()) {
      return pictures_.add(where, [&](AskedPictures::Row& row) {
        row.file = file_at(object, "img_id", where);
        fail("{}", problem);
      });
    }
    for (size_t i = 0; i < count; ++i) {
      const std::string place = fmt::format("{}, question {}", where, i + 1);
      pictures_.add(i == 0 ? where : place, [&](AskedPictures::Row& row) {
        row.file = file_at(object, "img_id", where);
        if (i == 0) pictures_.check_new_id(row.file, where);
        check((*questions)[i].is_string(), "{}: is {}, and no question", place,
              (*questions)[i].dump().substr(0, 80));
        row.question.words = (*questions)[i].get<std::string>();
        set_answers(row, answers_in((*labels)[i], place));
      });
    }
  }

  static std::string error_in(const std::function<void()>& step) {
    try {
      step();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  // An empty list is a picture that nothing is asked about: no example.
  static const Json& list_in(const Json& object, const char* key, const std::string& where) {
    check(object.contains(key), "{}: the key \"{}\" is missing", where, key);
    check(object[key].is_object() && object[key].contains("pvqa") && object[key]["pvqa"].is_array(),
          "{}: \"{}\" is not {{\"pvqa\": [...]}}", where, key);
    return object[key]["pvqa"];
  }

  // The keys of a label, the one of the highest score first.
  static std::vector<std::string> answers_in(const Json& label, const std::string& where) {
    check(label.is_object() && !label.empty(), "{}: the answer is {}, and not {{\"...\": 1}}",
          where, label.dump().substr(0, 80));
    std::vector<std::pair<double, std::string>> scored;
    for (const auto& [answer, score] : label.items()) {
      check(score.is_number(), "{}: the answer's score is {}, and no number", where,
            score.dump().substr(0, 80));
      scored.emplace_back(score.get<double>(), answer);
    }
    std::ranges::stable_sort(scored,
                             [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> answers;
    for (auto& [score, answer] : scored) answers.push_back(std::move(answer));
    return answers;
  }

  std::string file_at(const Json& object, const char* key, const std::string& where) const {
    const std::string id = words_at(object, key, where);
    return picture_name(recipe_.image_names, trimmed(id), "");
  }

  static void set_answers(AskedPictures::Row& row, std::vector<std::string> answers) {
    row.question.kind = open_or_closed(answers.front());
    row.question.answers = std::move(answers);
  }

  const DataRecipe& recipe_;
  AskedPictures pictures_;
};

}  // namespace

std::unique_ptr<Dataset> open_pathvqa(const std::string&, const DataRecipe& recipe) {
  return open_asked(recipe, PathvqaReader(recipe).read());
}

}  // namespace sightline
