// The built program with a small model of random weights in a model folder.

#include "base/file.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "recipe/parse.h"
#include "tests/evaluate/toy_bundle.h"
#include "tests/support.h"

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

constexpr const char* kRecipe = R"(
name = "toy"
[model]
from = "model"
[data.captions]
format = "scenes"
split = "validation"
task = "caption"
count = 6
prompt = "look"
[data.questions]
format = "scenes"
split = "validation"
task = "question"
count = 8
[task.describe]
kind = "caption"
data = "captions"
neighbours = "captions"
baselines = ["frequent", "nearest", "blind"]
decoding = { max_new_tokens = 5, batch = 4 }
[task.answers]
kind = "question"
data = "questions"
decoding = { max_new_tokens = 3 }
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "captions" }]
)";

class SlowModel : public testing::Test {
 protected:
  void SetUp() override {
    if (binary_.empty() || !std::filesystem::exists(binary_)) {
      GTEST_SKIP() << "needs SIGHTLINE_BINARY, the built program";
    }
    Bundle bundle = toy_bundle();
    bundle.recipe = kRecipe;
    save_bundle(folder_.path() / "model", bundle, "a toy");
    ASSERT_EQ(run("data scenes --count 3 --output scenes").exit_code, 0);
  }

  // stdout alone unless `also` redirects.
  CommandResult run(const std::string& arguments, const std::string& also = "") const {
    return run_command("cd " + folder_.path().string() + " && (" + binary_.string() + " " +
                       arguments + " " + also + ")");
  }

  const std::filesystem::path binary_ = environment_path("SIGHTLINE_BINARY");
  const TemporaryFolder folder_;
};

TEST_F(SlowModel, CaptionsAFolderInOrder) {
  const CommandResult all = run("caption model scenes/images --json", "2>/dev/null");
  ASSERT_EQ(all.exit_code, 0) << all.output;
  std::istringstream lines(all.output);
  std::vector<Json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(parse_json(line, "stdout"));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2]["image"], "scenes/images/000002.png");
  // One alone says the same, and is just the caption; the recipe's prompt is the default.
  const CommandResult one = run("caption model scenes/images/000001.png", "2>/dev/null");
  EXPECT_EQ(one.output, rows[1]["caption"].get<std::string>() + "\n");
  const CommandResult same =
      run("caption model scenes/images/000001.png --prompt look --max-tokens 5", "2>/dev/null");
  EXPECT_EQ(same.output, one.output);
  EXPECT_EQ(run("caption model scenes/images --beams 3 --numbers bf16").exit_code, 0);
}

TEST_F(SlowModel, SeveralCaptionsWithScores) {
  const std::string picture = "scenes/images/000001.png";
  const std::string drawn = "caption model " + picture + " --answers 3 --temperature 0.9 --seed 4";
  const CommandResult text = run(drawn, "2>/dev/null");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_EQ(std::count(text.output.begin(), text.output.end(), '\n'), 3) << text.output;
  const CommandResult json = run(drawn + " --json", "2>/dev/null");
  std::istringstream lines(json.output);
  double last = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json row = parse_json(line, "stdout");
    EXPECT_LE(row["score"].get<double>(), last);
    last = row["score"].get<double>();
    double sum = row.value("end_log_probability", 0.0);
    for (const Json& token : row["tokens"]) sum += token["log_probability"].get<double>();
    EXPECT_NEAR(row["log_probability"].get<double>(), sum, 1e-4);
  }
  EXPECT_LT(last, 0);
  EXPECT_THAT(text.output, HasSubstr(fmt::format("{:.4f}\t", last)));
  // In a folder, in other batches, the same picture gets the same captions.
  const CommandResult all =
      run("caption model scenes/images --answers 3 --temperature 0.9 --seed 4", "2>/dev/null");
  std::istringstream alone(text.output);
  for (std::string line; std::getline(alone, line);) {
    EXPECT_THAT(all.output, HasSubstr(picture + "\t" + line));
  }
  const CommandResult beams = run("caption model " + picture +
                                      " --beams 4 --beam-groups 2 --diversity 1 --answers 2 "
                                      "--no-repeat-ngram 2 --min-tokens 2 --log-probs",
                                  "2>/dev/null");
  EXPECT_EQ(beams.exit_code, 0) << beams.output;
  EXPECT_GT(std::count(beams.output.begin(), beams.output.end(), '\n'), 4) << beams.output;
}

// Two questions about two pictures are the conversation that they make, told in a file.
TEST_F(SlowModel, AsksInSeveralTurnsAboutSeveralPictures) {
  const CommandResult asked =
      run("ask model scenes/images/000000.png scenes/images/000001.png 'how many?' 'which?' --json",
          "2>/dev/null");
  ASSERT_EQ(asked.exit_code, 0) << asked.output;
  std::istringstream lines(asked.output);
  std::vector<Json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(parse_json(line, "stdout"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["images"].size(), 2u);
  EXPECT_EQ(rows[1]["question"], "which?");
  const Json image = {{"type", "image"}, {"image", "scenes/images/000000.png"}};
  Json second = image;
  second["image"] = "scenes/images/000001.png";
  Json messages = Json::array();
  messages.push_back(
      {{"role", "user"}, {"content", {image, second, {{"type", "text"}, {"text", "how many?"}}}}});
  const auto answer_to_file = [&] {
    write_json(folder_.path() / "talk.json", {{"messages", messages}});
    const CommandResult result = run("ask model --conversation talk.json --json", "2>/dev/null");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return parse_json(result.output, "stdout");
  };
  EXPECT_EQ(answer_to_file()["tokens"], rows[0]["tokens"]);
  ASSERT_NE(rows[0]["answer"], "");
  messages.push_back({{"role", "assistant"}, {"content", rows[0]["answer"]}});
  messages.push_back({{"role", "user"}, {"content", "which?"}});
  EXPECT_EQ(answer_to_file()["tokens"], rows[1]["tokens"]);
}

TEST_F(SlowModel, AskSaysWhatIsMissing) {
  const std::string picture = "scenes/images/000001.png";
  for (const auto& [words, says] :
       {std::pair{picture, "there is no question"},
        std::pair{picture + " nowhere.png 'why?'", "nowhere.png: no such file"},
        std::pair{std::string("nowhere 'why?'"), "nowhere: no such file"},
        std::pair{std::string(""), "--conversation FILE"},
        std::pair{picture + " 'why?' --conversation talk.json", "and not both"}}) {
    const CommandResult result = run("ask model " + words, "2>&1");
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.output, HasSubstr(says));
  }
}

TEST_F(SlowModel, StopsBeforeAString) {
  const std::string picture = "scenes/images/000001.png";
  const CommandResult whole = run("caption model " + picture, "2>/dev/null");
  ASSERT_GT(whole.output.size(), 4u);
  const std::string stop = whole.output.substr(2, 2);
  const CommandResult cut =
      run("caption model " + picture + " --stop '" + stop + "'", "2>/dev/null");
  EXPECT_EQ(cut.output, whole.output.substr(0, whole.output.find(stop)) + "\n");
}

TEST_F(SlowModel, DecodingThatContradictsItselfIsOneLine) {
  const CommandResult result = run("caption model scenes/images --beams 3 --temperature 1");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("beams look for the likeliest"));
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  EXPECT_EQ(run("ask model scenes/images/000000.png 'what?' --answers 2").exit_code, 2);
}

// A model folder stands alone: its recipe's folders need not be there.
TEST_F(SlowModel, CaptionsWithoutTheRecipesFolders) {
  std::string recipe = kRecipe;
  recipe.replace(recipe.find("from = \"model\""), 14, "from = \"elsewhere\"");
  recipe += "[data.gone]\nformat = \"jsonl\"\nannotations = \"${SIGHTLINE_UNSET}/rows.jsonl\"\n";
  std::ofstream(folder_.path() / "model/recipe.toml") << recipe;
  const std::string picture = "scenes/images/000001.png";
  const CommandResult plain =
      run("caption model " + picture + " --prompt look --max-tokens 5", "2>/dev/null");
  // From another working folder, with the recipe's prompt and decoding, and no word about paths.
  std::filesystem::create_directory(folder_.path() / "other");
  const CommandResult result = run_command("cd " + (folder_.path() / "other").string() + " && " +
                                           binary_.string() + " caption ../model ../" + picture);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output, plain.output);
  EXPECT_EQ(run("evaluate model answers --limit 2").exit_code, 0);
}

TEST_F(SlowModel, EvaluateNamesMissingData) {
  std::string recipe = kRecipe;
  recipe += "[data.gone]\nformat = \"jsonl\"\nannotations = \"gone.jsonl\"\n";
  recipe += "[task.absent]\nkind = \"caption\"\ndata = \"gone\"\n";
  std::ofstream(folder_.path() / "model/recipe.toml") << recipe;
  const CommandResult result = run("evaluate model absent");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("gone.jsonl"));
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
}

TEST_F(SlowModel, Answers) {
  const CommandResult result =
      run("ask model scenes/images/000000.png 'how many?' --json", "2>/dev/null");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(parse_json(result.output, "stdout")["question"], "how many?");
}

TEST_F(SlowModel, EvaluatesAndScoreAgrees) {
  const CommandResult result =
      run("evaluate model describe --baselines --json --output out", "2>/dev/null");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const Json scores = parse_json(result.output, "stdout")["scores"];
  EXPECT_EQ(scores.size(), 4u);
  EXPECT_TRUE(scores.contains("nearest"));
  const CommandResult again =
      run("score --references out/references.json --results out/predictions.json --json",
          "2>/dev/null");
  const Json expected = parse_json(again.output, "stdout");
  for (const char* name : {"Bleu_1", "Bleu_4", "ROUGE_L", "CIDEr"}) {
    EXPECT_EQ(scores["model"][name], expected[name]) << name;
  }
  EXPECT_THAT(read_file(folder_.path() / "out/table.txt"), HasSubstr("6 captions of captions"));
}

TEST_F(SlowModel, ComparesTwoResults) {
  ASSERT_EQ(run("evaluate model describe --output a").exit_code, 0);
  ASSERT_EQ(run("evaluate model describe --output b --max-tokens 2").exit_code, 0);
  const CommandResult text = run("compare a b", "2>/dev/null");
  EXPECT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("captions of captions (validation)"));
  const CommandResult json = run("compare a b --json", "2>/dev/null");
  const Json scores = parse_json(json.output, "stdout");
  const Json a = read_json(folder_.path() / "a/scores.json")["scores"]["model"];
  EXPECT_EQ(scores["ROUGE_L"]["first"], a["ROUGE_L"]);
  EXPECT_EQ(a["intervals"]["CIDEr"].size(), 2u);
  ASSERT_EQ(run("evaluate model answers --output c").exit_code, 0);
  const CommandResult other = run("compare a c");
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("compare results of one task on the same data"));
  EXPECT_EQ(run("compare a scenes").exit_code, 2);
}

TEST_F(SlowModel, EvaluatesQuestionsByKind) {
  const CommandResult result = run("evaluate model answers --limit 4", "2>/dev/null");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("4 questions of questions (validation)"));
  EXPECT_THAT(result.output, HasSubstr("colour (1)"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "runs/evaluate/toy/answers/scores.json"));
}

TEST_F(SlowModel, ShowsWhereWordsLooked) {
  const std::string caption = "caption model scenes/images/000001.png";
  const CommandResult plain = run(caption, "2>/dev/null");
  const CommandResult shown = run(caption + " --attend looked.html", "2>/dev/null");
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_EQ(shown.output, plain.output);
  EXPECT_THAT(read_file(folder_.path() / "looked.html"), HasSubstr("data:image/png;base64,"));
  EXPECT_EQ(run("caption model scenes/images --attend looked.html").exit_code, 2);
}

TEST_F(SlowModel, BadInputIsOneLine) {
  std::ofstream(folder_.path() / "empty.jpg");
  std::ofstream(folder_.path() / "words.png") << "not a picture at all";
  const std::string whole = read_file(folder_.path() / "scenes/images/000000.png");
  std::ofstream(folder_.path() / "torn.png") << whole.substr(0, whole.size() / 2);
  for (const char* image : {"empty.jpg", "words.png", "torn.png"}) {
    const CommandResult result = run(std::string("caption model ") + image);
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr(image));
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  }
  const CommandResult unknown = run("evaluate model descibe");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("answers, describe"));
  EXPECT_EQ(run("evaluate model describe --set task.describe.decoding.beams=none").exit_code, 2);
  EXPECT_EQ(run("evaluate model describe --output scenes").exit_code, 2);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "scenes/annotations.jsonl"));
  EXPECT_EQ(run("caption model scenes/images", "> /dev/full").exit_code, 1);

  const auto weights = folder_.path() / "model/language/model.safetensors";
  const std::string bytes = read_file(weights);
  std::ofstream(weights) << bytes.substr(0, bytes.size() / 2);
  const CommandResult torn = run("caption model scenes/images");
  EXPECT_EQ(torn.exit_code, 1) << torn.output;
  EXPECT_THAT(torn.output, HasSubstr("model.safetensors"));
}

}  // namespace
}  // namespace sightline::test
