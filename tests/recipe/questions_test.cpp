// [data.*] tables of questions: their keys, what is refused, and that the page knows them.

#include "recipe/parse.h"
#include "tests/recipe/recipe_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

// kRecipe with the table [data.words] of another format.
std::string with_words(const std::string& keys) {
  return replaced(kRecipe, "format = \"text\"\nannotations = \"words.txt\"\n", keys);
}

constexpr const char* kVqa =
    "format = \"vqa\"\nannotations = \"rows.jsonl\"\nquestions = \"words.txt\"\n"
    "images = \"photos\"\nprompt = \"Q: {question}\"\nimage_names = \"{split}/{id:06}.png\"\n"
    "captions = \"one\"\n";
constexpr const char* kDaquar =
    "format = \"daquar\"\nannotations = \"models\"\nimages = \"photos\"\nsplit = \"dev.txt\"\n"
    "image_names = \"{id}.png\"\n";
constexpr const char* kVqarad =
    "format = \"vqarad\"\nannotations = \"rows.jsonl\"\nimages = \"photos\"\n"
    "split = \"validation\"\nfolds = 5\nfold = 3\n";
constexpr const char* kPathvqa =
    "format = \"pathvqa\"\nannotations = \"rows.jsonl\"\nimages = \"photos\"\n";

Recipe parsed(std::string_view text) { return parse_recipe(text, "r.toml", {}); }

void expect_words(const Recipe& recipe, DataFormat format) {
  const DataRecipe& data = recipe.data.at("words");
  EXPECT_EQ(data.format, format);
  EXPECT_EQ(data.images, "photos");
  EXPECT_EQ(data.prompt, format == DataFormat::vqa ? "Q: {question}" : "{question}");
  switch (format) {
    case DataFormat::vqa:
      EXPECT_EQ(data.questions, "words.txt");
      EXPECT_EQ(data.image_names, "{split}/{id:06}.png");
      EXPECT_EQ(data.captions, CaptionsMode::one);
      break;
    case DataFormat::daquar:
      EXPECT_EQ(data.annotations, "models");  // a folder of CSV files
      EXPECT_EQ(data.split, "dev.txt");
      EXPECT_EQ(data.image_names, "{id}.png");
      break;
    case DataFormat::vqarad:
      EXPECT_EQ(data.split, "validation");
      EXPECT_EQ(data.folds, 5);
      EXPECT_EQ(data.fold, 3);
      break;
    default:
      EXPECT_EQ(data.image_names, "{id}.jpg");
  }
}

TEST(QuestionTables, AreReadAndPrintedBack) {
  const Workplace workplace;
  const std::pair<DataFormat, const char*> tables[] = {{DataFormat::vqa, kVqa},
                                                       {DataFormat::daquar, kDaquar},
                                                       {DataFormat::vqarad, kVqarad},
                                                       {DataFormat::pathvqa, kPathvqa}};
  for (const auto& [format, keys] : tables) {
    SCOPED_TRACE(keys);
    const Recipe recipe = parsed(with_words(keys));
    expect_words(recipe, format);
    const std::string printed = print_recipe(recipe);
    expect_words(parsed(printed), format);
    EXPECT_EQ(print_recipe(parsed(printed)), printed);
  }
}

TEST(QuestionTables, HaveDefaults) {
  const Workplace workplace;
  const DataRecipe vqa =
      parsed(with_words("format = \"vqa\"\nannotations = \"rows.jsonl\"\nimages = \"photos\"\n"
                        "questions = \"rows.jsonl\"\n"))
          .data.at("words");
  EXPECT_EQ(vqa.image_names, "COCO_{split}_{id:012}.jpg");
  const DataRecipe rad =
      parsed(with_words("format = \"vqarad\"\nannotations = \"rows.jsonl\"\nimages = \"photos\"\n"))
          .data.at("words");
  EXPECT_EQ(rad.split, "train");
  EXPECT_EQ(rad.folds, 0);
}

struct Mistake {
  const char* name;
  std::string table;
  const char* says;
};

TEST(QuestionTables, MistakesAreTold) {
  const Workplace workplace;
  const Mistake mistakes[] = {
      {"no images", replaced(kPathvqa, "images = \"photos\"\n", ""), "images = \"FOLDER\""},
      {"no questions", replaced(kVqa, "questions = \"words.txt\"\n", ""), "questions = \"FILE\""},
      {"questions absent", replaced(kVqa, "\"words.txt\"", "\"word.txt\""),
       "did you mean \"words.txt\"?"},
      {"a prompt without the question", replaced(kVqa, "Q: {question}", "Answer:"),
       "write \"{question}\" in it"},
      {"names without an id", replaced(kDaquar, "{id}.png", "a.png"), "write \"{id}\""},
      {"questions of another", std::string(kDaquar) + "questions = \"words.txt\"\n",
       "belongs to format \"vqa\""},
      {"folds of another", std::string(kDaquar) + "folds = 5\n", "belongs to format \"vqarad\""},
      {"names of another", std::string(kVqarad) + "image_names = \"{id}\"\n",
       "belongs to format \"vqa\", \"daquar\""},
      {"a folder for a file", replaced(kVqarad, "\"rows.jsonl\"", "\"models\""), "is a folder"},
      {"an unknown split", replaced(kVqarad, "validation", "dev"), "\"validation\""},
      {"one fold", replaced(replaced(kVqarad, "folds = 5", "folds = 1"), "fold = 3", "fold = 1"),
       "one part cannot be held out"},
      {"a fold too far", replaced(kVqarad, "fold = 3", "fold = 6"), "is 6, and \"folds\" is 5"},
      {"a fold of none", replaced(kVqarad, "folds = 5\n", ""), "is 3, and \"folds\" is 0"},
      {"a validation without folds", replaced(kVqarad, "folds = 5\nfold = 3\n", ""), "folds = 5"},
      {"folds of the test", replaced(kVqarad, "validation", "test"), "has no folds"},
  };
  for (const Mistake& mistake : mistakes) {
    EXPECT_THAT(mistake_in(with_words(mistake.table)), HasSubstr(mistake.says)) << mistake.name;
  }
}

TEST(QuestionTables, HoldNoCaptions) {
  const Workplace workplace;
  const std::string text =
      replaced(with_words(kVqarad), "data = \"train\"\n", "data = \"words\"\n");
  EXPECT_THAT(mistake_in(text), HasSubstr("[data.words] holds questions alone"));
}

TEST(QuestionTables, ThePageHasTheirKeys) {
  const std::string page = read_file(source_folder() / "docs/recipe.md");
  for (const char* key : {"questions", "image_names", "folds", "fold"}) {
    EXPECT_THAT(page, HasSubstr(fmt::format("\n| `{}` |", key)));
  }
  for (const char* format : {"vqa", "daquar", "vqarad", "pathvqa"}) {
    EXPECT_THAT(page, HasSubstr(fmt::format("\n| `{}` |", format)));
  }
}

}  // namespace
}  // namespace sightline::test
