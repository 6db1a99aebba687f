// The reader of VQA v2's two files: questions, and annotations with the answers of ten people
// (v2_OpenEnded_mscoco_train2014_questions.json, v2_mscoco_train2014_annotations.json).

#include "base/commonest.h"
#include "base/error.h"
#include "data/asked.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <map>
#include <utility>

namespace sightline {

namespace {

struct Annotation {
  std::string where;
  int64_t image = 0;
  std::vector<std::string> answers;
  std::string kind;
  std::string problem;    // not empty: the Error that its question is
  bool is_asked = false;  // by a question of the other file
};

class VqaReader {
 public:
  explicit VqaReader(const DataRecipe& recipe) : recipe_(recipe) {}

  std::vector<AskedPicture> read() && {
    read_annotations();
    const Json root = read_json(recipe_.questions);
    const auto split = json_get_or<std::string>(root, "data_subtype", "", recipe_.questions);
    check(!split.empty() || recipe_.image_names.find("{split}") == std::string::npos,
          "{}: the key \"data_subtype\" is missing, and image_names = \"{}\" needs it",
          recipe_.questions, recipe_.image_names);
    const Json& questions = array_at(root, "questions", recipe_.questions);
    for (size_t i = 0; i < questions.size(); ++i) {
      const std::string where = fmt::format("{}: questions[{}]", recipe_.questions, i);
      pictures_.add(
          where, [&](AskedPictures::Row& row) { read_question(questions[i], where, split, row); });
    }
    complain_of_unasked();
    return std::move(pictures_).take();
  }

 private:
  void read_annotations() {
    const Json root = read_json(recipe_.annotations);
    const Json& annotations = array_at(root, "annotations", recipe_.annotations);
    for (size_t i = 0; i < annotations.size(); ++i) {
      const std::string where = fmt::format("{}: annotations[{}]", recipe_.annotations, i);
      try {
        read_annotation(annotations[i], where);
      } catch (const Error& error) {  // whose it is cannot be told
        pictures_.add(where, [&](AskedPictures::Row&) { throw error; });
      }
    }
  }

  void read_annotation(const Json& object, const std::string& where) {
    check(object.is_object(), "{}: is not an object", where);
    const auto id = json_get<int64_t>(object, "question_id", where);
    const auto [found, is_new] = annotation_of_question_.try_emplace(id);
    Annotation& annotation = found->second;
    if (is_new) annotation.where = where;
    try {
      check(is_new, "{}: the question {} is answered already, at {}", where, id, annotation.where);
      annotation.image = json_get<int64_t>(object, "image_id", where);
      annotation.kind = json_get_or<std::string>(object, "answer_type", "", where);
      const Json& answers = array_at(object, "answers", where);
      for (size_t i = 0; i < answers.size(); ++i) {
        annotation.answers.push_back(
            json_get<std::string>(answers[i], "answer", fmt::format("{}: answers[{}]", where, i)));
      }
      check(!trimmed(commonest(annotation.answers)).empty(),
            "{}: \"answers\": what most people said is empty", where);
    } catch (const Error& error) {
      annotation.problem = error.what();
    }
  }

  void read_question(const Json& object, const std::string& where, const std::string& split,
                     AskedPictures::Row& row) {
    check(object.is_object(), "{}: is not an object", where);
    const auto image = json_get<int64_t>(object, "image_id", where);
    check(image >= 0, "{}: \"image_id\" is {}", where, image);
    row.file = picture_name(recipe_.image_names, std::to_string(image), split);
    const auto id = json_get<int64_t>(object, "question_id", where);
    const auto found = annotation_of_question_.find(id);
    if (found != annotation_of_question_.end()) found->second.is_asked = true;
    pictures_.check_new_id(std::to_string(id), where);
    check(found != annotation_of_question_.end(), "{}: the question {} has no answers in {}", where,
          id, recipe_.annotations);
    Annotation& annotation = found->second;
    check(annotation.problem.empty(), "{}", annotation.problem);
    check(annotation.image == image, "{}: the question {} is about the image {}, and {} about {}",
          where, id, image, annotation.where, annotation.image);
    row.question.words = words_at(object, "question", where);
    row.question.answers = std::move(annotation.answers);
    row.question.kind = std::move(annotation.kind);
  }

  // Answers without a question.
  void complain_of_unasked() {
    for (const auto& [id, annotation] : annotation_of_question_) {
      if (annotation.is_asked) continue;
      pictures_.add(annotation.where, [&](AskedPictures::Row&) {
        fail("{}: no question has the id {} in {}", annotation.where, id, recipe_.questions);
      });
    }
  }

  const DataRecipe& recipe_;
  std::map<int64_t, Annotation> annotation_of_question_;
  AskedPictures pictures_;
};

}  // namespace

std::unique_ptr<Dataset> open_vqa(const std::string&, const DataRecipe& recipe) {
  return open_asked(recipe, VqaReader(recipe).read());
}

}  // namespace sightline
