// Twenty kinds of broken file for each reader of questions, as broken_files.h says.

#include "tests/data/broken_files.h"

namespace sightline {
namespace {

using test::Broken;
using test::Format;
using test::Skip;

Broken bad(const char* what, std::string text, std::vector<const char*> says,
           Skip skip = Skip::example) {
  return {what, std::move(text), skip, std::move(says)};
}

Format daquar() {
  const auto second = [](const char* what, const std::string& row, std::vector<const char*> says,
                         Skip skip = Skip::example) {
    return bad(what, "question,answer,image_id\nwhat is it,dog,a\n" + row + "\n", std::move(says),
               skip);
  };
  return {"daquar",
          DataFormat::daquar,
          {bad("empty file", "", {"empty"}, Skip::none),
           bad("blank lines", "\n \n", {"empty"}, Skip::none),
           bad("a heading alone", "question,answer,image_id\n", {"holds no question"}, Skip::none),
           bad("a JSON file", "[{\"image\": \"a\"}]\n", {":1: no column"}, Skip::none),
           bad("no heading", "what is it,dog,a\n", {":1: no column \"question\""}, Skip::none),
           bad("no column of images", "question,answer\nwhat,dog\n", {":1: no column \"image_id\""},
               Skip::none),
           bad("no column of answers", "question,image_id\nwhat,a\n", {":1: no column \"answer\""},
               Skip::none),
           bad("bytes", std::string(64, '\0'), {":1: no column"}, Skip::none),
           bad("a PNG", test::png_of(1), {":1: "}, Skip::none),
           bad("an open quote in the heading", "question,\"answer,image_id\nw,d,a\n",
               {":1: a quote is not closed"}, Skip::none),
           second("a field too few", "what is it,dog", {":3: has 2 fields, and the first line 3"}),
           second("a field too many", "what is it,dog,b,c", {":3: has 4 fields"}),
           second("a comma without quotes", "what is it,dog, cat,b", {":3: has 4 fields"}),
           second("an open quote", "what is it,\"dog, cat,b", {":3: a quote is not closed"}),
           second("cut in the last row", "what is", {":3: has 1 fields"}),
           second("no image", "what is it,dog,", {":3: \"image_id\" is empty"}),
           second("a blank image", "what is it,dog,  ", {":3: \"image_id\" is empty"}),
           second("no question", ",dog,b", {":3: the question is empty"}),
           second("no answer", "what is it,,b", {":3: the answer is empty"}),
           second("a blank answer", "what is it,\" \",b", {":3: the answer is empty"}),
           second("a missing picture", "what is it,dog,c", {":3: ", "c.jpg"}, Skip::picture),
           second("a folder for a picture", "what is it,dog,../folder", {":3: ", "folder"},
                  Skip::picture)},
          "",
          "{question}",
          "{id}.jpg"};
}

std::string rad_row(const std::string& image, const std::string& rest) {
  return "{\"image_name\": \"" + image + "\", " + rest + "}";
}

Format vqarad() {
  const std::string rest =
      R"("phrase_type": "para", "question": "why?", "answer": "it is", "answer_type": "OPEN")";
  const std::string good = rad_row("a.jpg", "\"qid\": 1, " + rest);
  const auto second = [&](const char* what, const std::string& row, std::vector<const char*> says,
                          Skip skip = Skip::example) {
    return bad(what, "[" + good + ", " + row + "]", std::move(says), skip);
  };
  const auto without = [&](const char* what, const std::string& from, const std::string& to,
                           std::vector<const char*> says) {
    std::string row = rad_row("b.jpg", "\"qid\": 2, " + rest);
    return second(what, row.replace(row.find(from), from.size(), to), std::move(says));
  };
  return {
      "vqarad",
      DataFormat::vqarad,
      {bad("empty file", "", {"not valid JSON"}, Skip::none),
       bad("cut file", "[" + good, {"not valid JSON at byte"}, Skip::none),
       bad("an object", good, {"is not a list of questions"}, Skip::none),
       bad("no question", "[]", {"or an empty one"}, Skip::none),
       bad("bad UTF-8", "[\"\xff\"]", {"not valid JSON"}, Skip::none),
       bad("of the test alone",
           "[" + rad_row("a.jpg", R"("phrase_type": "test_para", "qid": 1)") + "]",
           {"holds no question"}, Skip::none),
       second("no object", "3", {"[1]: is not an object"}),
       second("a question without its image", "{\"qid\": 2, " + rest + "}",
              {"[1]: ", "\"image_name\" is missing"}),
       without("a blank image", "b.jpg", " ", {"[1]: \"image_name\" is empty"}),
       without("an image of no words", "\"b.jpg\"", "3", {"[1]: \"image_name\" is 3"}),
       second("an id twice", rad_row("b.jpg", "\"qid\": 1, " + rest),
              {"[1]: the question 1 is there already", "[0]"}),
       second("an id twice, as a word", rad_row("b.jpg", "\"qid\": \"1\", " + rest),
              {"[1]: the question 1 is there already", "[0]"}),
       without("no id", "\"qid\"", "\"no\"", {"[1]: the key \"qid\" is missing"}),
       without("no type of phrase", "phrase_type", "type", {"[1]: ", "\"phrase_type\""}),
       without("another type of phrase", "para", "verse", {"[1]: \"phrase_type\" is \"verse\""}),
       without("no question's words", "\"question\"", "\"q\"", {"[1]: ", "\"question\""}),
       without("a blank question", "why?", "", {"[1]: \"question\" is empty"}),
       without("a question of numbers", "\"why?\"", "[1]", {"[1]: \"question\" is [1]"}),
       without("no answer", "\"answer\"", "\"a\"", {"[1]: the key \"answer\" is missing"}),
       without("a blank answer", "it is", "", {"[1]: \"answer\" is empty"}),
       without("an empty list of answers", "\"it is\"", "[]", {"[1]: \"answer\" is []"}),
       without("a fraction for an answer", "\"it is\"", "0.5", {"[1]: \"answer\" is 0.5"}),
       without("another type of answer", "OPEN", "AJAR", {"[1]: \"answer_type\" is \"AJAR\""}),
       second("a missing picture", rad_row("c.jpg", "\"qid\": 2, " + rest), {"[1]: ", "c.jpg"},
              Skip::picture)},
      "train",
      "{question}"};
}

Format pathvqa() {
  const std::string good = R"({"image": "a", "question": "why?", "answer": "yes"})";
  const auto second = [&](const char* what, const std::string& row, std::vector<const char*> says,
                          Skip skip = Skip::example) {
    return bad(what, "[" + good + ", " + row + "]", std::move(says), skip);
  };
  const auto asked = [&](const char* what, const std::string& questions, const std::string& labels,
                         std::vector<const char*> says) {
    return second(what,
                  R"({"img_id": "b", "sentf": {"pvqa": [)" + questions +
                      R"(]}, "labelf": {"pvqa": [)" + labels + "]}}",
                  std::move(says));
  };
  const std::string pickled = "\x80\x02]";
  return {
      "pathvqa",
      DataFormat::pathvqa,
      {bad("empty file", "", {"not valid JSON"}, Skip::none),
       bad("cut file", "[" + good, {"not valid JSON at byte"}, Skip::none),
       bad("an object", good, {"is not a list of questions"}, Skip::none),
       bad("an empty list", "[]", {"or an empty one"}, Skip::none),
       bad("an empty pickle", pickled + ".", {"or an empty one"}, Skip::none),
       bad("a cut pickle", pickled + "(X\x05", {"at byte", "too early"}, Skip::none),
       bad("a pickle that calls", pickled + "cos\nsystem\n(X\x02" + std::string(3, '\0') + "lstR.",
           {"at byte 3", "something else"}, Skip::none),
       second("no object", "\"why?\"", {"[1]: is not an object"}),
       second("a question without its image", R"({"question": "why?", "answer": "no"})",
              {"[1]: ", "\"image\" is missing"}),
       second("a blank image", R"({"image": "", "question": "why?", "answer": "no"})",
              {"[1]: \"image\" is empty"}),
       second("no words", R"({"image": "b", "answer": "no"})", {"[1]: ", "\"question\""}),
       second("blank words", R"({"image": "b", "question": " ", "answer": "no"})",
              {"[1]: \"question\" is empty"}),
       second("no answer", R"({"image": "b", "question": "why?"})", {"[1]: ", "\"answer\""}),
       second("a list of answers", R"({"image": "b", "question": "why?", "answer": []})",
              {"[1]: \"answer\" is []"}),
       second("a number for an answer", R"({"image": "b", "question": "why?", "answer": 3})",
              {"[1]: \"answer\" is 3"}),
       second("no lists", R"({"img_id": "b"})", {"[1]: the key \"sentf\" is missing"}),
       second("no list of labels", R"({"img_id": "b", "sentf": {"pvqa": ["why?"]}})",
              {"[1]: the key \"labelf\" is missing"}),
       second("a list in place of pvqa", R"({"img_id": "b", "sentf": ["why?"], "labelf": 3})",
              {"[1]: \"sentf\" is not"}),
       asked("an answer too few", R"("why?", "how?")", R"({"yes": 1})",
             {"[1]: 2 questions and 1 answers"}),
       asked("a question of numbers", "3", R"({"yes": 1})", {"[1], question 1: is 3"}),
       asked("a blank question", R"("why?", " ")", R"({"yes": 1}, {"no": 1})",
             {"[1], question 2: the question is empty"}),
       asked("no label", R"("why?")", "{}", {"[1], question 1: the answer is {}"}),
       asked("a label of words", R"("why?")", "\"yes\"", {"[1], question 1: the answer is"}),
       asked("a score of words", R"("why?")", R"({"yes": "1"})", {"[1], question 1: ", "score"}),
       second("a picture twice",
              R"({"img_id": "a", "sentf": {"pvqa": ["why?"]}, "labelf": {"pvqa": [{"no": 1}]}},)"
              R"({"img_id": "a", "sentf": {"pvqa": ["why?"]}, "labelf": {"pvqa": [{"no": 1}]}})",
              {"[2]: the question a.jpg is there already", "[1]"}),
       second("a missing picture", R"({"image": "c", "question": "why?", "answer": "no"})",
              {"[1]: ", "c.jpg"}, Skip::picture)},
      "",
      "{question}",
      "{id}.jpg"};
}

// Two files; the first question and its answers are good.
const std::string kQuestion = R"({"question_id": 1, "image_id": 7, "question": "why?"})";
const std::string kAnswers = R"({"question_id": 1, "image_id": 7, "answers": [{"answer": "yes"}]})";

std::string questions_file(const std::string& more) {
  return R"({"data_subtype": "val", "questions": [)" + kQuestion + more + "]}";
}
std::string answers_file(const std::string& more) {
  return "{\"annotations\": [" + kAnswers + more + "]}";
}

Format vqa_answers() {
  const auto second = [](const char* what, const std::string& row, std::vector<const char*> says) {
    return bad(what, answers_file(", " + row), std::move(says));
  };
  // Those of the second question.
  const auto answers = [&](const char* what, const std::string& rest,
                           std::vector<const char*> says) {
    return second(what, R"({"question_id": 2)" + rest + "}", std::move(says));
  };
  const auto unasked = [&](const char* what, const std::string& row,
                           std::vector<const char*> says) {
    return bad(what,
               answers_file(R"(, {"question_id": 2, "image_id": 8, "answers": [{"answer": )"
                            R"("no"}]}, )" +
                            row),
               std::move(says));
  };
  return {
      "vqa_answers",
      DataFormat::vqa,
      {bad("empty file", "", {"not valid JSON"}, Skip::none),
       bad("cut file", answers_file("").substr(0, 50), {"not valid JSON at byte"}, Skip::none),
       bad("a list", "[]", {"\"annotations\""}, Skip::none),
       bad("no annotations", "{\"questions\": []}", {"\"annotations\" is missing"}, Skip::none),
       bad("empty annotations", "{\"annotations\": []}", {"\"annotations\" is not a list"},
           Skip::none),
       bad("a question without answers", answers_file(""), {"the question 2 has no answers"}),
       unasked("no object", "3", {"annotations[2]: is not an object"}),
       unasked("no id", "{\"image_id\": 8}", {"annotations[2]: ", "\"question_id\" is missing"}),
       unasked("a word for an id", R"({"question_id": "2"})", {"annotations[2]: \"question_id\""}),
       unasked("an unknown question",
               R"({"question_id": 9, "image_id": 8, "answers": )"
               R"([{"answer": "no"}]})",
               {"annotations[2]: no question has the id 9"}),
       unasked("answered twice", R"({"question_id": 2})",
               {"annotations[2]: the question 2 is answered already", "annotations[1]"}),
       answers("no image", R"(, "answers": [{"answer": "no"}])",
               {"annotations[1]: ", "\"image_id\" is missing"}),
       answers("another image", R"(, "image_id": 7, "answers": [{"answer": "no"}])",
               {"the question 2 is about the image 8", "annotations[1] about 7"}),
       answers("no answers", R"(, "image_id": 8)", {"annotations[1]: ", "\"answers\" is missing"}),
       answers("an empty list of answers", R"(, "image_id": 8, "answers": [])",
               {"annotations[1]: \"answers\" is not a list"}),
       answers("one answer as a word", R"(, "image_id": 8, "answers": "no")",
               {"annotations[1]: \"answers\" is not a list"}),
       answers("answers as words", R"(, "image_id": 8, "answers": ["no"])",
               {"annotations[1]: answers[0]: ", "\"answer\""}),
       answers("a number among answers", R"(, "image_id": 8, "answers": [{"answer": 3}])",
               {"annotations[1]: answers[0]: \"answer\" is 3"}),
       answers("nobody says anything",
               R"(, "image_id": 8, "answers": [{"answer": ""}, {"answer": ""}])",
               {"annotations[1]: \"answers\": what most people said is empty"})},
      "",
      "{question}",
      "{id}.jpg",
      questions_file(R"(, {"question_id": 2, "image_id": 8, "question": "how?"})")};
}

Format vqa_questions() {
  const auto second = [](const char* what, const std::string& row, std::vector<const char*> says,
                         Skip skip = Skip::example) {
    return bad(what,
               questions_file(R"(, {"question_id": 2, "image_id": 8, "question": "how?"}, )" + row),
               std::move(says), skip);
  };
  return {
      "vqa_questions",
      DataFormat::vqa,
      {bad("empty file", "", {"not valid JSON"}, Skip::none),
       bad("cut file", questions_file("").substr(0, 50), {"not valid JSON at byte"}, Skip::none),
       bad("no questions", "{\"data_subtype\": \"val\"}", {"\"questions\" is missing"}, Skip::none),
       bad("empty questions", R"({"data_subtype": "val", "questions": []})",
           {"\"questions\" is not a list"}, Skip::none),
       bad("no name of the split", "{\"questions\": [" + kQuestion + "]}",
           {"\"data_subtype\" is missing"}, Skip::none),
       bad("answers without a question", questions_file(""), {"no question has the id 2"}),
       second("no object", "3", {"questions[2]: is not an object"}),
       second("a question without its image", R"({"question_id": 3, "question": "how?"})",
              {"questions[2]: ", "\"image_id\" is missing"}),
       second("a word for an image", R"({"image_id": "8", "question_id": 3})",
              {"questions[2]: \"image_id\""}),
       second("an image below 0", R"({"image_id": -8, "question_id": 3})",
              {"questions[2]: \"image_id\" is -8"}),
       second("no id", R"({"image_id": 8, "question": "how?"})",
              {"questions[2]: ", "\"question_id\" is missing"}),
       second("a fraction for an id", R"({"image_id": 8, "question_id": 2.5})",
              {"questions[2]: \"question_id\""}),
       second("an id twice", R"({"image_id": 8, "question_id": 2, "question": "how?"})",
              {"questions[2]: the question 2 is there already", "questions[1]"}),
       second("no answers", R"({"image_id": 8, "question_id": 3, "question": "how?"})",
              {"questions[2]: the question 3 has no answers"})},
      "",
      "{question}",
      "{split}{id:03}.jpg",
      "",
      answers_file(R"(, {"question_id": 2, "image_id": 8, "answers": [{"answer": "no"}]})")};
}

class BrokenQuestions : public test::BrokenFileTest {
 protected:
  void SetUp() override {
    BrokenFileTest::SetUp();
    for (const char* name : {"7.jpg", "8.jpg", "val007.jpg", "val008.jpg"}) {
      test::write_text(temporary_.path() / name, test::png_of(1));
    }
  }
};

TEST_P(BrokenQuestions, EachIsOneErrorWithItsPlaceOrOneBadExample) { expect_each_is_told(); }

TEST_P(BrokenQuestions, AFileThatCannotBeOpenedIsNamed) { expect_unopened_files_are_named(); }

INSTANTIATE_TEST_SUITE_P(Formats, BrokenQuestions,
                         testing::Values(daquar(), vqarad(), pathvqa(), vqa_answers(),
                                         vqa_questions()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace sightline
