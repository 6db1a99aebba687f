// Mistakes that lie between the parts of a recipe, or that are many at once.

#include "tests/recipe/recipe_support.h"

#include <cstdlib>

#include <gmock/gmock.h>

namespace sightline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(RecipeMistakesBetween, AreAllReportedInTheOrderOfTheFile) {
  const Workplace workplace;
  std::string text = replaced(kRecipe, "seed = 7", "sed = 7");
  text = replaced(text, "lr = 1e-3", "epoch = 1");
  text = replaced(text, "\"photos\"", "\"fotos\"");
  const std::string said = mistake_in(text);
  std::vector<std::string> lines;
  for (size_t at = 0; at < said.size();) {
    const size_t end = std::min(said.find('\n', at), said.size());
    lines.push_back(said.substr(at, end - at));
    at = end + 1;
  }
  EXPECT_THAT(lines,
              ::testing::ElementsAre(StartsWith("r.toml:2:1: "), StartsWith("r.toml:12:10: "),
                                     StartsWith("r.toml:39:1: ")));
}

TEST(RecipeMistakesBetween, ReconstructTakesPicturesAndNoLanguage) {
  const Workplace workplace;
  const std::string head = "name = \"eyes\"\n[model]\nvision = { hidden_size = 96 }\n";
  const std::string words = "[data.words]\nformat = \"text\"\nannotations = \"words.txt\"\n";
  const std::string stage =
      "[[stage]]\nname = \"see\"\nobjective = \"reconstruct\"\ntrain = [\"vision\"]\n";
  EXPECT_THAT(mistake_in(head + words + stage + "mixture = [{ data = \"words\" }]\n"),
              StartsWith("r.toml:11:21: [data.words] holds plain text"));
  EXPECT_THAT(
      mistake_in(replaced(head, "[model]\n", "[model]\nlanguage = \"models/lm\"\n") + words +
                 stage + "mixture = [{ data = \"words\" }]\n"),
      HasSubstr("r.toml:10:13: [[stage]] \"see\" has objective = \"reconstruct\", which trains "
                "a vision model alone"));
}

TEST(RecipeMistakesBetween, AugmentedPicturesNeedTheVisionModelWhole) {
  const Workplace workplace;
  const std::string text =
      replaced(kRecipe, "images = \"photos\"", "images = \"photos\"\naugment = { crop = 0.5 }");
  EXPECT_THAT(mistake_in(text), HasSubstr("[[stage]] \"deepen\" leaves"));  // layers[8:]
  const std::string whole = replaced(replaced(text, "[\"connector\"]", "[\"vision\"]"),
                                     "vision.layers[8:]", "vision.embeddings");
  EXPECT_EQ(mistake_in(whole), "");
}

TEST(RecipeMistakesBetween, TasksOfQuestionsTakeQuestionsAlone) {
  const Workplace workplace;
  std::string text = replaced(kRecipe, "kind = \"caption\"\ndata = \"train\"",
                              "kind = \"question\"\ndata = \"web\"\n"
                              "baselines = [\"nearest\"]\nneighbours = \"web\"");
  text = replaced(text, "best = \"CIDEr\"", "best = \"exact_match\"");
  EXPECT_THAT(mistake_in(text),
              StartsWith("r.toml:30:13: the baseline \"nearest\" is for captions"));
  text =
      replaced(replaced(text, "data = \"web\"", "data = \"shapes\""), "\"nearest\"", "\"blind\"");
  EXPECT_EQ(mistake_in(replaced(text, "task = \"caption\"", "task = \"question\"")), "");
  EXPECT_EQ(mistake_in(replaced(text, "task = \"caption\"", "task = \"text\"")), "");
  EXPECT_THAT(mistake_in(replaced(text, "task = \"caption\"", "task = \"both\"")),
              HasSubstr("holds scenes with task = \"both\""));
}

TEST(RecipeMistakesBetween, StagesMustBeThere) {
  const Workplace workplace;
  const std::string text(kRecipe.substr(0, kRecipe.find("[[stage]]")));
  EXPECT_THAT(mistake_in(text), HasSubstr("the recipe has no stage: add a [[stage]]"));
  EXPECT_THAT(mistake_in("stage = []\n" + text), StartsWith("r.toml:1:9: the recipe has no stage"));
  EXPECT_THAT(mistake_in("stage = 3\n" + text), HasSubstr("written [[stage]]"));
  EXPECT_THAT(mistake_in(text + "[stage]\nname = \"align\"\n"), HasSubstr("written [[stage]]"));
}

TEST(RecipeMistakesBetween, ATiedHeadIsTheEmbeddings) {
  const Workplace workplace;
  std::string text = replaced(kRecipe, "language = \"models/lm\"",
                              "language = { hidden_size = 64, num_attention_heads = 4 }\n"
                              "tokenizer = \"tokenizer.json\"");
  text = replaced(text, "[\"connector\"]", "[\"language.head\"]");
  EXPECT_THAT(mistake_in(text), HasSubstr("name language.embeddings"));
}

TEST(RecipeMistakesBetween, AMissingRecipeIsNamed) {
  EXPECT_THROW(
      {
        try {
          read_recipe("no/such.toml");
        } catch (const UsageError& error) {
          EXPECT_THAT(error.what(), StartsWith("no/such.toml: cannot open"));
          throw;
        }
      },
      UsageError);
}

TEST(RecipeMistakesBetween, AnUnsetDataFolderSaysHowToSetIt) {
  const Workplace workplace;
  const char* before = std::getenv("SIGHTLINE_DATA");
  const std::string kept = before == nullptr ? "" : before;
  unsetenv("SIGHTLINE_DATA");
  const std::string said =
      mistake_in(replaced(kRecipe, "\"words.txt\"", "\"${SIGHTLINE_DATA}/words.txt\""));
  if (before != nullptr) setenv("SIGHTLINE_DATA", kept.c_str(), 1);
  EXPECT_THAT(said, StartsWith("r.toml:20:15: "));
  EXPECT_THAT(said, HasSubstr("export SIGHTLINE_DATA="));
}

// Settings of one search that contradict each other: each is one mistake, at the key to change.
TEST(RecipeMistakesBetween, DecodingThatContradictsItself) {
  const Workplace workplace;
  const auto said = [](const std::string& decoding) {
    return mistake_in(replaced(kRecipe, "data = \"train\"\n\n[eval]",
                               "data = \"train\"\ndecoding = { " + decoding + " }\n\n[eval]"));
  };
  EXPECT_EQ(said("beams = 4, beam_groups = 2, diversity = 0.5, answers = 4"), "");
  EXPECT_EQ(said("temperature = 1, top_p = 0.9, answers = 9"), "");
  EXPECT_THAT(said("beams = 3, temperature = 0.7"),
              HasSubstr("r.toml:30:39: beams look for the likeliest answers"));
  EXPECT_THAT(said("beams = 4, beam_groups = 3, diversity = 1"), HasSubstr("multiple of"));
  EXPECT_THAT(said("beams = 4, beam_groups = 2"), HasSubstr("add diversity = 0.5"));
  EXPECT_THAT(said("beams = 4, diversity = 1"), HasSubstr("add beam_groups"));
  EXPECT_THAT(said("answers = 3"), HasSubstr("add beams = 3 or temperature = 1.0"));
  EXPECT_THAT(said("beams = 2, answers = 3"), HasSubstr("2 beams cannot give 3 answers"));
  EXPECT_THAT(said("min_new_tokens = 9, max_new_tokens = 8"), HasSubstr("at least 9 tokens"));
  EXPECT_THAT(said("stop = [\"\"]"), HasSubstr("empty"));
  for (const char* key : {"top_k = 5", "top_p = 0.9", "min_p = 0.1"}) {
    EXPECT_THAT(said(key), HasSubstr("at temperature 0 nothing is")) << key;
  }
  EXPECT_THAT(said("beam_groups = 2, beams = 3, diversity = 1"),
              HasSubstr("in decoding of [task.dev]"));
}

}  // namespace
}  // namespace sightline::test
