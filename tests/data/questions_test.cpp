// The readers of questions: vqa, daquar, vqarad, pathvqa.

#include "data/dataset.h"
#include "data/folds.h"
#include "data/pickle.h"
#include "tests/data/support.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class QuestionReaders : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  DataRecipe recipe{.annotations = path("annotations"),
                    .images = temporary.path().string(),
                    .prompt = "{question}",
                    .image_names = "{id}.jpg"};

  std::string path(const std::string& name) const { return (temporary.path() / name).string(); }
  void add(const std::string& name, std::string_view text) const {
    test::write_text(temporary.path() / name, text);
  }
  std::unique_ptr<Dataset> open(DataFormat format, std::string_view annotations) {
    recipe.format = format;
    add("annotations", annotations);
    return open_dataset("asked", recipe);
  }
  static std::vector<std::string> words_of(const Example& example) {
    std::vector<std::string> words;
    for (const auto& turns : example.conversations) {
      EXPECT_EQ(turns.size(), 2u);
      EXPECT_EQ(turns.at(0).images, 1);
      words.push_back(turns.at(0).text + " " + turns.at(1).text);
    }
    return words;
  }
};

TEST_F(QuestionReaders, VqaJoinsQuestionsWithTheAnswersOfMany) {
  recipe.image_names = "COCO_{split}_{id:012}.jpg";
  recipe.questions = path("questions");
  recipe.prompt = "Question: {question} Short answer:";
  add("COCO_val2014_000000000042.jpg", "x");
  add("COCO_val2014_000000262148.jpg", "x");
  add("questions", R"({"data_subtype": "val2014", "questions": [
      {"question_id": 262148000, "image_id": 262148, "question": "Where is he looking? "},
      {"question_id": 42000, "image_id": 42, "question": "How many?"},
      {"question_id": 262148001, "image_id": 262148, "question": "What is on?"}]})");
  const auto data = open(DataFormat::vqa, R"({"annotations": [
      {"question_id": 42000, "image_id": 42, "answer_type": "number", "question_type": "how many",
       "multiple_choice_answer": "2", "answers": [{"answer": "3", "answer_id": 1},
       {"answer": "2", "answer_id": 2}, {"answer": "2", "answer_id": 3}]},
      {"question_id": 262148001, "image_id": 262148, "answers": [{"answer": "hat"}]},
      {"question_id": 262148000, "image_id": 262148, "answer_type": "other",
       "answers": [{"answer": "down"}, {"answer": "at table"}, {"answer": "down"}]}]})");
  ASSERT_EQ(data->size(), 2u);
  const Example first = data->example(0);
  EXPECT_EQ(first.where, path("questions") + ": questions[0]");
  EXPECT_EQ(first.images.at(0).path, path("COCO_val2014_000000262148.jpg"));
  EXPECT_THAT(words_of(first), ElementsAre("Question: Where is he looking? Short answer: down",
                                           "Question: What is on? Short answer: hat"));
  EXPECT_THAT(first.references, ElementsAre("down", "hat"));
  EXPECT_THAT(first.kinds, ElementsAre("other", ""));
  ASSERT_EQ(first.answers.size(), 2u);
  EXPECT_THAT(first.answers[0], ElementsAre("down", "at table", "down"));
  EXPECT_THAT(data->example(1).references, ElementsAre("2"));
  recipe.limit = 1;
  EXPECT_EQ(open_dataset("asked", recipe)->size(), 1u);
}

TEST_F(QuestionReaders, DaquarKeepsTheSplitsPictures) {
  for (const char* name : {"image1.jpg", "image2.jpg", "image3.jpg"}) add(name, "x");
  const std::string_view csv =
      "question,answer,image_id\r\n"
      "what is red,\"lamp, \"\"big\"\" book\",image2\r\n"
      "how many,2,image1\r\n"
      "what is left,table,image2\r\n";
  const auto data = open(DataFormat::daquar, csv);
  ASSERT_EQ(data->size(), 2u);
  EXPECT_THAT(words_of(data->example(0)),
              ElementsAre("what is red lamp, \"big\" book", "what is left table"));
  EXPECT_EQ(data->example(0).where, path("annotations") + ":2");
  EXPECT_EQ(data->example(0).images.at(0).path, path("image2.jpg"));
  // Two files together, and of them the pictures of a list; nothing is asked about image9.
  add("both/b.csv", "image_id,question,answer\nimage3,where,left\nimage1,why,so\n");
  add("both/a.csv", csv);
  add("split.txt", "image1\nimage9\nimage3\n");
  recipe.annotations = path("both");
  recipe.split = path("split.txt");
  const auto both = open_dataset("asked", recipe);
  ASSERT_EQ(both->size(), 2u);
  EXPECT_THAT(words_of(both->example(0)), ElementsAre("how many 2", "why so"));
  EXPECT_THAT(words_of(both->example(1)), ElementsAre("where left"));
}

std::string rad(int id, const std::string& image, const std::string& phrase) {
  return fmt::format(R"({{"qid": {}, "phrase_type": "{}", "image_name": "{}", "question": "q{}?",)"
                     R"( "answer": {}, "answer_type": "{}"}})",
                     id, phrase, image, id, id, id % 2 == 0 ? "OPEN" : "CLOSED ");
}

TEST_F(QuestionReaders, VqaradSplitsByTypeOfPhrase) {
  add("a.jpg", "a");
  add("b.jpg", "b");
  const std::string text = "[" + rad(1, "a.jpg", "freeform") + "," + rad(2, "b.jpg", "test_para") +
                           "," + rad(3, "b.jpg", "para") + "," + rad(4, "a.jpg", "para") + "]";
  recipe.split = "train";
  const auto train = open(DataFormat::vqarad, text);
  ASSERT_EQ(train->size(), 2u);
  EXPECT_THAT(words_of(train->example(0)), ElementsAre("q1? 1", "q4? 4"));
  EXPECT_THAT(train->example(0).kinds, ElementsAre("closed", "open"));
  recipe.split = "test";
  const auto test = open_dataset("asked", recipe);
  ASSERT_EQ(test->size(), 1u);
  EXPECT_THAT(words_of(test->example(0)), ElementsAre("q2? 2"));
}

// Every picture is held out once, and stands on one side alone, under both of its names.
TEST_F(QuestionReaders, VqaradsFoldsArePictures) {
  std::string text;
  std::map<std::string, std::string> content;
  for (int i = 0; i < 23; ++i) {
    const std::string name = fmt::format("{}.jpg", i);
    content[path(name)] = fmt::format("picture {}", i / 2);  // 12 pictures, 11 of them twice
    add(name, content[path(name)]);
    text += (i > 0 ? "," : "[") + rad(2 * i, name, "para") + "," + rad(2 * i + 1, name, "para");
  }
  recipe.folds = 5;
  std::map<std::string, int> held_out;
  for (recipe.fold = 1; recipe.fold <= 5; ++recipe.fold) {
    std::map<std::string, std::set<std::string>> pictures;
    size_t questions = 0;
    for (const char* split : {"train", "validation"}) {
      recipe.split = split;
      const auto data = open(DataFormat::vqarad, text + "]");
      for (size_t i = 0; i < data->size(); ++i) {
        questions += data->example(i).conversations.size();
        pictures[split].insert(content.at(data->example(i).images[0].path));
      }
    }
    EXPECT_EQ(questions, 46u);
    EXPECT_EQ(pictures["train"].size() + pictures["validation"].size(), 12u);
    EXPECT_THAT(pictures["validation"].size(), testing::AnyOf(2u, 3u));
    for (const std::string& picture : pictures["validation"]) ++held_out[picture];
  }
  EXPECT_EQ(held_out.size(), 12u);
  for (const auto& [picture, times] : held_out) EXPECT_EQ(times, 1) << picture;
}

TEST_F(QuestionReaders, FoldsDependOnContentAlone) {
  std::vector<std::string> files, renamed;
  for (int i = 0; i < 9; ++i) {
    const std::string text = fmt::format("picture {}", i);
    add(fmt::format("{}.jpg", i), text);
    add(fmt::format("other{}.jpg", i), text);
    files.push_back(path(fmt::format("{}.jpg", i)));
    renamed.insert(renamed.begin(), path(fmt::format("other{}.jpg", i)));
  }
  std::vector<int64_t> other = folds_of(renamed, 3);
  std::reverse(other.begin(), other.end());
  EXPECT_EQ(folds_of(files, 3), other);
  EXPECT_THAT(folds_of(std::vector<std::string>{path("nowhere.jpg")}, 3), ElementsAre(1));
}

TEST_F(QuestionReaders, PathvqaReadsPicturesWithTheirQuestions) {
  add("train_0001.jpg", "x");
  const auto data = open(DataFormat::pathvqa, R"([
      {"img_id": "train_0000", "sentf": {"pvqa": []}, "labelf": {"pvqa": []}},
      {"img_id": "train_0001", "sentf": {"pvqa": ["What is it?", "Is it so?"]},
       "labelf": {"pvqa": [{"a cell": 0.3, "a nodule": 1}, {"Yes": 1}]}}])");
  ASSERT_EQ(data->size(), 1u);
  const Example example = data->example(0);
  EXPECT_EQ(example.images.at(0).path, path("train_0001.jpg"));
  EXPECT_THAT(words_of(example), ElementsAre("What is it? a nodule", "Is it so? Yes"));
  EXPECT_THAT(example.kinds, ElementsAre("open", "closed"));
  EXPECT_THAT(example.answers.at(0), ElementsAre("a nodule", "a cell"));
}

// pickle.dumps([{"image": "a", "question": "why?", "answer": "so"}, {... "b" ...}], protocol)
TEST_F(QuestionReaders, PathvqaReadsPickledRows) {
  add("a.jpg", "x");
  add("b.jpg", "x");
  const char two[] =
      "\x80\x02]q\x00(}q\x01(X\x05\x00\x00\x00imageq\x02X\x01\x00\x00\x00\x61q\x03X\x08\x00\x00\x00"
      "questionq\x04X\x04\x00\x00\x00why?q\x05X\x06\x00\x00\x00\x61nswerq\x06X\x02\x00\x00\x00soq"
      "\x07u}q\x08(h\x02X\x01\x00\x00\x00\x62q\th\x04h\x05h\x06X\x02\x00\x00\x00noq\nue.";
  const char four[] =
      "\x80\x04\x95J\x00\x00\x00\x00\x00\x00\x00]\x94(}\x94(\x8c\x05image\x94\x8c\x01\x61\x94\x8c"
      "\x08question\x94\x8c\x04why?\x94\x8c\x06\x61nswer\x94\x8c\x02so\x94u}\x94(h\x02\x8c\x01\x62"
      "\x94h\x04h\x05h\x06\x8c\x02no\x94ue.";
  for (const std::string_view pickle :
       {std::string_view(two, sizeof(two) - 1), std::string_view(four, sizeof(four) - 1)}) {
    const auto data = open(DataFormat::pathvqa, pickle);
    ASSERT_EQ(data->size(), 2u);
    EXPECT_THAT(words_of(data->example(0)), ElementsAre("why? so"));
    EXPECT_THAT(words_of(data->example(1)), ElementsAre("why? no"));
    EXPECT_THAT(data->example(1).kinds, ElementsAre("closed"));
  }
}

// pickle.dumps([None, True, -2, 300, 70000, 2**40, 0.5, ("a", (1, 2, 3))], 2)
TEST_F(QuestionReaders, PicklesOfPlainValuesAreRead) {
  const char pickled[] =
      "\x80\x02]q\x00(N\x88J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01G"
      "?\xe0\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00\x61q\x01K\x01K\x02K\x03\x87q\x02\x86q\x03"
      "e.";
  EXPECT_EQ(parse_pickle(std::string_view(pickled, sizeof(pickled) - 1), "p").dump(),
            R"([null,true,-2,300,70000,1099511627776,0.5,["a",[1,2,3]]])");
}

// Every beginning of a pickle, and every pickle with one byte changed, is an Error or a value.
TEST_F(QuestionReaders, TornPicklesAreErrors) {
  const std::string whole("\x80\x02]q\x00(}q\x01X\x05\x00\x00\x00imageX\x01\x00\x00\x00\x61se.",
                          sizeof("\x80\x02]q\x00(}q\x01X\x05\x00\x00\x00imageX\x01\x00\x00\x00"
                                 "\x61se.") -
                              1);
  EXPECT_EQ(parse_pickle(whole, "p").dump(), R"([{"image":"a"}])");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(test::message_of([&] { parse_pickle(whole.substr(0, size), "p"); }),
                HasSubstr("p: no pickle that can be read, at byte"));
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[at] = static_cast<char>(byte);
      test::message_of([&] { parse_pickle(changed, "p"); });
    }
  }
}

TEST_F(QuestionReaders, UnderSkipOtherPicturesAreLeft) {
  add("a.jpg", "x");
  recipe.on_bad_sample = OnBadSample::skip;
  const auto data =
      open(DataFormat::daquar, "question,answer,image_id\nwhat,,b\nwhy,so,a\nwhere,there,b\n");
  ASSERT_EQ(data->size(), 2u);
  EXPECT_THAT(test::message_of([&] { data->example(0); }), HasSubstr(":2: the answer is empty"));
  EXPECT_THAT(words_of(data->example(1)), ElementsAre("why so"));
}

}  // namespace
}  // namespace sightline
