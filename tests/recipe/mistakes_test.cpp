// Every kind of mistake in a recipe: where it is and how it is mended.

#include "tests/recipe/recipe_support.h"

#include <cstdlib>
#include <ostream>
#include <vector>

#include <gmock/gmock.h>

namespace sightline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Replaces `from` by `to` in kRecipe; the first line of what is reported then begins with `where`
// and holds every one of `says`.
struct Mistake {
  const char* name;
  const char* from;
  const char* to;
  const char* where;
  std::vector<const char*> says;
  friend std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
    return out << mistake.name;
  }
};

class RecipeMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(RecipeMistake, IsPlacedAndMended) {
  const Workplace workplace;
  const Mistake& mistake = GetParam();
  ASSERT_EQ(mistake_in(kRecipe), "");
  const std::string said = mistake_in(replaced(kRecipe, mistake.from, mistake.to));
  const std::string first = said.substr(0, said.find('\n'));
  EXPECT_THAT(first, StartsWith(std::string(mistake.where) + ": ")) << said;
  for (const char* part : mistake.says) EXPECT_THAT(first, HasSubstr(part)) << said;
}

constexpr const char* kAlignLr = "lr = 1e-3";
constexpr const char* kVision = "vision = \"models/vit\"";
constexpr const char* kLanguage = "language = \"models/lm\"";
constexpr const char* kMixture = "mixture = [{ data = \"train\" }]";

const Mistake kMistakes[] = {
    // The run.
    {"UnknownTopKey", "seed = 7", "sed = 7", "r.toml:2:1", {"\"sed\"", "did you mean \"seed\"?"}},
    {"UnknownTable", "[eval]", "[evl]", "r.toml:31:2", {"unknown key \"evl\"", "\"eval\"?"}},
    {"SeedNotANumber", "seed = 7", "seed = \"x\"", "r.toml:2:8", {"string \"x\"", "whole number"}},
    {"SeedNegative", "seed = 7", "seed = -1", "r.toml:2:8", {"-1", "at least 0"}},
    {"NumbersUnknown",
     "seed = 7",
     "numbers = \"fp16\"",
     "r.toml:2:11",
     {"\"fp16\"", "\"fp32\" or \"bf16\""}},
    {"ThreadsNegative", "seed = 7", "threads = -2", "r.toml:2:11", {"from 0 to 4096"}},
    {"SideBySideNone", "seed = 7", "side_by_side = 0", "r.toml:2:16", {"0", "from 1 to 1024"}},
    {"WorkersNone", "seed = 7", "workers = 0", "r.toml:2:11", {"0", "from 1 to 1024"}},
    {"NameMissing", "name = \"captioner\"\n", "", "r.toml:1:1", {"lacks", "\"name\"", "add name"}},
    {"NameHasASlash", "\"captioner\"", "\"a/b\"", "r.toml:1:8", {"\"a/b\"", "letters, digits"}},
    {"CacheEmpty", "seed = 7", "cache = \"\"", "r.toml:2:9", {"\"cache\" is empty"}},
    {"NotToml", "seed = 7", "seed 7", "r.toml:2:6", {"not valid TOML"}},
    {"KeyTwice", "seed = 7", "seed = 7\nseed = 8", "r.toml:3:8", {"not valid TOML", "seed"}},

    // The model.
    {"UnknownModelKey",
     "connector = \"shuffle\"",
     "conector = \"mlp\"",
     "r.toml:7:1",
     {"in [model]", "did you mean \"connector\"?"}},
    {"ConnectorUnknown", "\"shuffle\"", "\"linear\"", "r.toml:7:13", {"\"mlp\" or \"shuffle\""}},
    {"FactorOnMlp", "\"shuffle\"", "{ kind = \"mlp\", factor = 2 }", "r.toml:7:38", {"shuffle"}},
    {"MaskUnknown",
     "connector = \"shuffle\"",
     "mask = \"imag\"",
     "r.toml:7:8",
     {"\"causal\", \"image\", \"prefix\" or \"question\"", "did you mean \"image\"?"}},
    {"TemplateUnknown",
     "connector = \"shuffle\"",
     "template = \"llava\"",
     "r.toml:7:12",
     {"\"plain\" or \"chatml\""}},
    {"ResizeUnknown",
     "connector = \"shuffle\"",
     "resize = \"sqash\"",
     "r.toml:7:10",
     {"did you mean \"squash\"?"}},
    {"VisionFolderAbsent",
     kVision,
     "vision = \"models/vti\"",
     "r.toml:5:10",
     {"\"models/vti\"", "does not exist", "did you mean \"vit\"?"}},
    {"VisionIsAFile", kVision, "vision = \"words.txt\"", "r.toml:5:10", {"is a file"}},
    {"VisionWithoutConfig",
     kVision,
     "vision = \"models/bare\"",
     "r.toml:5:10",
     {"no config.json", "Hugging Face"}},
    {"VisionIsANumber", kVision, "vision = 3", "r.toml:5:10", {"integer 3", "folder's name"}},
    {"UnknownConfigKey",
     kVision,
     "vision = { hiden_size = 96 }",
     "r.toml:5:12",
     {"\"hiden_size\" in [model.vision]", "did you mean \"hidden_size\"?"}},
    {"HeadsDontDivide",
     kVision,
     "vision = { hidden_size = 100 }",
     "r.toml:5:10",
     {"100", "multiple of num_attention_heads 3"}},
    {"PatchesDontDivide",
     kVision,
     "vision = { image_size = 225 }",
     "r.toml:5:10",
     {"patch_size 16"}},
    {"FactorDoesntDivide",
     kVision,
     "vision = { image_size = 80 }",
     "r.toml:7:13",
     {"factor 2", "5 patches"}},
    {"ZeroLayers", kVision, "vision = { num_hidden_layers = 0 }", "r.toml:5:32", {"from 1 to"}},
    {"RandomLanguageWithoutTokenizer",
     kLanguage,
     "language = { hidden_size = 64 }",
     "r.toml:6:12",
     {"tokenizer", "sightline tokenizer train"}},
    {"GroupsDontDivide",
     kLanguage,
     "tokenizer = \"tokenizer.json\"\nlanguage = { num_key_value_heads = 3 }",
     "r.toml:7:12",
     {"num_attention_heads 4", "num_key_value_heads 3"}},
    {"TokenizerAbsent",
     "connector = \"shuffle\"",
     "tokenizer = \"tokeniser.json\"",
     "r.toml:7:13",
     {"does not exist", "did you mean \"tokenizer.json\"?"}},
    {"FromBesideVision",
     kVision,
     "vision = \"models/vit\"\nfrom = \"runs/model\"",
     "r.toml:5:10",
     {"beside \"from\"", "leave one of the two out"}},
    {"FromAbsent",
     "vision = \"models/vit\"\nlanguage = \"models/lm\"\nconnector = \"shuffle\"",
     "from = \"runs/modle\"",
     "r.toml:5:8",
     {"does not exist", "did you mean \"model\"?"}},
    {"FromNoSightlineFolder",
     "vision = \"models/vit\"\nlanguage = \"models/lm\"\nconnector = \"shuffle\"",
     "from = \"models/vit\"",
     "r.toml:5:8",
     {"no Sightline model folder", "sightline.json"}},
    {"NoModelAtAll",
     "vision = \"models/vit\"\nlanguage = \"models/lm\"\n",
     "",
     "r.toml:4:1",
     {"names no model", "from = \"FOLDER\""}},
    {"ModelIsNoTable", "[model]", "model = 3\n[mdl]", "r.toml:4:9", {"a table is expected"}},

    // Data.
    {"UnknownDataKey",
     "images = \"photos\"",
     "images = \"photos\"\nlimmit = 3",
     "r.toml:13:1",
     {"in [data.train]", "did you mean \"limit\"?"}},
    {"FormatUnknown",
     "\"flickr\"",
     "\"flicker\"",
     "r.toml:10:10",
     {"\"scenes\"", "did you mean \"flickr\"?"}},
    {"FormatMissing", "format = \"flickr\"\n", "", "r.toml:9:1", {"lacks the key \"format\""}},
    {"AnnotationsAbsent",
     "\"captions.token.txt\"",
     "\"caption.token.txt\"",
     "r.toml:11:15",
     {"does not exist", "did you mean \"captions.token.txt\"?"}},
    {"AnnotationsMissing", "annotations = \"words.txt\"\n", "", "r.toml:18:1", {"\"annotations\""}},
    {"AnnotationsAreAFolder", "\"words.txt\"", "\"photos\"", "r.toml:20:15", {"is a folder"}},
    {"ImagesAbsent",
     "\"photos\"",
     "\"pictures/all\"",
     "r.toml:12:10",
     {"does not exist", "no \"pictures\""}},
    {"ImagesMissing", "images = \"photos\"\n", "", "r.toml:9:1", {"images = \"FOLDER\""}},
    {"SplitAbsent",
     "images = \"photos\"",
     "images = \"photos\"\nsplit = \"devs.txt\"",
     "r.toml:13:9",
     {"did you mean \"dev.txt\"?"}},
    {"KeyOfAnotherFormat",
     "images = \"photos\"",
     "images = \"photos\"\ncount = 3",
     "r.toml:13:9",
     {"belongs to format \"scenes\"", "leave it out"}},
    {"VariableUnset",
     "\"words.txt\"",
     "\"${SIGHTLINE_UNSET}/words.txt\"",
     "r.toml:20:15",
     {"SIGHTLINE_UNSET is not set", "set it to"}},
    {"LimitNegative",
     "images = \"photos\"",
     "images = \"photos\"\nlimit = -1",
     "r.toml:13:9",
     {"-1", "at least 0"}},
    {"ScenesSplitUnknown",
     "count = 100",
     "count = 100\nsplit = \"test\"",
     "r.toml:25:9",
     {"\"validation\" or \"unseen\""}},
    {"ScenesWithoutCount", "count = 100\n", "", "r.toml:22:1", {"count = 1000"}},
    {"DataNameHasASpace",
     "[data.words]",
     "[data.\"my words\"]",
     "r.toml:18:1",
     {"letters, digits"}},
    {"DataIsNoTable",
     "[data.words]\nformat",
     "[data]\nwords = 3\n[data.w]\nformat",
     "r.toml:19:9",
     {"the integer 3", "[data.words] is expected"}},

    // Tasks, evaluation, checkpoints.
    {"TaskDataUnknown",
     "data = \"train\"\n\n[eval]",
     "data = \"trian\"\n\n[eval]",
     "r.toml:29:8",
     {"no [data.trian]", "did you mean \"train\"?"}},
    {"TaskKindUnknown",
     "kind = \"caption\"",
     "kind = \"captions\"",
     "r.toml:28:8",
     {"did you mean \"caption\"?"}},
    {"TaskKindMissing", "kind = \"caption\"\n", "", "r.toml:27:1", {"lacks the key \"kind\""}},
    {"QuestionsOfCaptions",
     "kind = \"caption\"",
     "kind = \"question\"",
     "r.toml:28:8",
     {"holds captions alone"}},
    {"TaskOfText",
     "data = \"train\"\n\n[eval]",
     "data = \"words\"\n\n[eval]",
     "r.toml:28:8",
     {"holds plain text"}},
    {"BaselineUnknown",
     "kind = \"caption\"",
     "kind = \"caption\"\nbaselines = [\"blid\"]",
     "r.toml:29:14",
     {"did you mean \"blind\"?"}},
    {"BaselineWithoutNeighbours",
     "kind = \"caption\"",
     "kind = \"caption\"\nbaselines = [\"nearest\"]",
     "r.toml:29:13",
     {"neighbours = \"DATA\""}},
    {"BeamsZero",
     "kind = \"caption\"",
     "kind = \"caption\"\ndecoding = { beams = 0 }",
     "r.toml:29:22",
     {"from 1 to 256"}},
    {"UnknownDecodingKey",
     "kind = \"caption\"",
     "kind = \"caption\"\ndecoding = { beam = 2 }",
     "r.toml:29:14",
     {"decoding of [task.dev]", "did you mean \"beams\"?"}},
    {"EvalTaskUnknown",
     "task = \"dev\"",
     "task = \"dve\"",
     "r.toml:32:8",
     {"no [task.dve]", "did you mean \"dev\"?"}},
    {"EvalTaskAndTasks",
     "task = \"dev\"",
     "task = \"dev\"\ntasks = [\"dev\"]",
     "r.toml:32:8",
     {"both", "leave one out"}},
    {"BestUnknown", "\"CIDEr\"", "\"cider\"", "r.toml:33:8", {"\"ROUGE_L\"", "may be"}},
    {"BestNotComputed",
     "\"CIDEr\"",
     "\"accuracy\"",
     "r.toml:33:8",
     {"nothing computes", "kind \"question\""}},
    {"BestLossWithoutValidation",
     "\"CIDEr\"",
     "\"validation_loss\"",
     "r.toml:33:8",
     {"add validation = \"DATA\""}},
    {"ValidationUnknown",
     "task = \"dev\"",
     "task = \"dev\"\nvalidation = \"shape\"",
     "r.toml:33:14",
     {"did you mean \"shapes\"?"}},
    {"KeepNone", "[eval]", "[checkpoint]\nkeep = 0\n[eval]", "r.toml:32:8", {"at least 1"}},

    // Stages.
    {"UnknownStageKey",
     kAlignLr,
     "epoch = 1",
     "r.toml:39:1",
     {"unknown key \"epoch\" in [[stage]] \"align\"", "did you mean \"epochs\"?"}},
    {"StageNameMissing",
     "name = \"deepen\"\n",
     "",
     "r.toml:41:1",
     {"[[stage]] number 2", "\"name\""}},
    {"StageNameTwice",
     "name = \"deepen\"",
     "name = \"align\"",
     "r.toml:42:8",
     {"stands above already"}},
    {"StageIsNoArray",
     "[[stage]]\nname = \"align\"",
     "[stage]\nname = \"align\"",
     "r.toml:41:1",
     {"not valid TOML"}},
    {"TrainMissing", "train = [\"connector\"]\n", "", "r.toml:35:1", {"add train = "}},
    {"TrainEmpty", "[\"connector\"]", "[]", "r.toml:37:9", {"is empty", "\"vision\""}},
    {"TrainIsAString", "[\"connector\"]", "\"connector\"", "r.toml:37:9", {"array of strings"}},
    {"SelectorUnknownPart",
     "[\"connector\"]",
     "[\"connectr\"]",
     "r.toml:37:10",
     {"did you mean \"connector\"?"}},
    {"SelectorUnknownSection",
     "[\"connector\"]",
     "[\"vision.layer\"]",
     "r.toml:37:10",
     {"did you mean \"layers\"?"}},
    {"SelectorWithoutColon",
     "[\"connector\"]",
     "[\"vision.layers[3]\"]",
     "r.toml:37:10",
     {"layers[3:4]"}},
    {"SelectorSelectsNothing",
     "[\"connector\"]",
     "[\"vision.layers[4:2]\"]",
     "r.toml:37:10",
     {"selects no layer"}},
    {"SelectorPastTheLayers",
     kVision,
     "vision = { num_hidden_layers = 6 }",
     "r.toml:43:23",
     {"vision.layers[8:]", "6 layers, 0 to 5"}},
    {"NoVisionToTrain", kVision, "", "r.toml:29:8", {"no vision part", "vision = \"FOLDER\""}},
    {"NoLanguageToAnswer", kLanguage, "", "r.toml:35:1", {"no language part", "reconstruct"}},
    {"MixtureUnknownData",
     kMixture,
     "mixture = [{ data = \"trains\" }]",
     "r.toml:38:21",
     {"no [data.trains]", "did you mean \"train\"?"}},
    {"MixtureUnknownKey",
     kMixture,
     "mixture = [{ data = \"train\", wieght = 2 }]",
     "r.toml:38:30",
     {"did you mean \"weight\"?"}},
    {"MixtureWeightZero",
     kMixture,
     "mixture = [{ data = \"train\", weight = 0 }]",
     "r.toml:38:39",
     {"above 0"}},
    {"MixtureIsAString", kMixture, "mixture = \"train\"", "r.toml:38:11", {"array of tables"}},
    {"MixtureEmpty", kMixture, "mixture = []", "r.toml:38:11", {"is empty", "{ data = \"DATA\" }"}},
    {"MixtureMissing", "mixture = [{ data = \"train\" }]\n", "", "r.toml:35:1", {"add mixture = "}},
    {"MixtureTwice",
     kMixture,
     "mixture = [{ data = \"train\" }, { data = \"train\" }]",
     "r.toml:38:41",
     {"twice"}},
    {"EpochsZero", kAlignLr, "epochs = 0", "r.toml:39:10", {"above 0"}},
    {"EpochsAString", kAlignLr, "epochs = \"one\"", "r.toml:39:10", {"\"one\"", "a number"}},
    {"StepsAFloat", kAlignLr, "max_steps = 1.5", "r.toml:39:13", {"1.5", "whole number"}},
    {"StepBelowMicro",
     kAlignLr,
     "step_tokens = 100",
     "r.toml:39:15",
     {"micro_tokens 8192 (the default)", "raise step_tokens or lower micro_tokens"}},
    {"RateTooLarge", kAlignLr, "lr = 30.0", "r.toml:39:6", {"above 0 and at most 1"}},
    {"RateOfUnknownPart",
     kAlignLr,
     "lr = { visoin = 1e-4 }",
     "r.toml:39:8",
     {"did you mean \"vision\"?"}},
    {"WarmupAboveOne", kAlignLr, "warmup = 100", "r.toml:39:10", {"from 0 to 1"}},
    {"ScheduleUnknown",
     kAlignLr,
     "schedule = \"linear\"",
     "r.toml:39:12",
     {"\"cosine\" or \"constant\""}},
    {"BetaOne", kAlignLr, "beta2 = 1.0", "r.toml:39:9", {"at least 0 and below 1"}},
    {"ClipNegative", kAlignLr, "clip = -1", "r.toml:39:8", {"at least 0"}},
    {"ClipInfinite", kAlignLr, "clip = inf", "r.toml:39:8", {"inf", "at least 0"}},
    {"StageMaskUnknown", kAlignLr, "mask = \"prefx\"", "r.toml:39:8", {"\"prefix\"?"}},
    {"MaskRatioOne", kAlignLr, "mask_ratio = 1", "r.toml:39:14", {"above 0 and below 1"}},
    {"NegativeEdgeWeight", kAlignLr, "edge_weight = -1", "r.toml:39:15", {"edge_weight"}},
    {"ObjectiveUnknown", kAlignLr, "objective = \"answer\"", "r.toml:39:13", {"\"answers\"?"}},
    {"ReconstructTrainsConnector",
     kAlignLr,
     "objective = \"reconstruct\"",
     "r.toml:37:10",
     {"the vision part alone"}},
};

INSTANTIATE_TEST_SUITE_P(Recipe, RecipeMistake, ::testing::ValuesIn(kMistakes),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(RecipeMistakes, AreAllReportedInTheOrderOfTheFile) {
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

TEST(RecipeMistakes, ReconstructTakesPicturesAndNoLanguage) {
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

TEST(RecipeMistakes, TasksOfQuestionsTakeQuestionsAlone) {
  const Workplace workplace;
  std::string text = replaced(kRecipe, "kind = \"caption\"\ndata = \"train\"",
                              "kind = \"question\"\ndata = \"web\"\n"
                              "baselines = [\"nearest\"]\nneighbours = \"web\"");
  text = replaced(text, "best = \"CIDEr\"", "best = \"accuracy\"");
  EXPECT_THAT(mistake_in(text),
              StartsWith("r.toml:30:13: the baseline \"nearest\" is for captions"));
  text =
      replaced(replaced(text, "data = \"web\"", "data = \"shapes\""), "\"nearest\"", "\"blind\"");
  EXPECT_EQ(mistake_in(replaced(text, "task = \"caption\"", "task = \"question\"")), "");
  EXPECT_EQ(mistake_in(replaced(text, "task = \"caption\"", "task = \"text\"")), "");
  EXPECT_THAT(mistake_in(replaced(text, "task = \"caption\"", "task = \"both\"")),
              HasSubstr("holds scenes with task = \"both\""));
}

TEST(RecipeMistakes, StagesMustBeThere) {
  const Workplace workplace;
  const std::string text(kRecipe.substr(0, kRecipe.find("[[stage]]")));
  EXPECT_THAT(mistake_in(text), HasSubstr("the recipe has no stage: add a [[stage]]"));
  EXPECT_THAT(mistake_in("stage = []\n" + text), StartsWith("r.toml:1:9: the recipe has no stage"));
  EXPECT_THAT(mistake_in("stage = 3\n" + text), HasSubstr("written [[stage]]"));
  EXPECT_THAT(mistake_in(text + "[stage]\nname = \"align\"\n"), HasSubstr("written [[stage]]"));
}

TEST(RecipeMistakes, ATiedHeadIsTheEmbeddings) {
  const Workplace workplace;
  std::string text = replaced(kRecipe, "language = \"models/lm\"",
                              "language = { hidden_size = 64, num_attention_heads = 4 }\n"
                              "tokenizer = \"tokenizer.json\"");
  text = replaced(text, "[\"connector\"]", "[\"language.head\"]");
  EXPECT_THAT(mistake_in(text), HasSubstr("name language.embeddings"));
}

TEST(RecipeMistakes, AMissingRecipeIsNamed) {
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

TEST(RecipeMistakes, AnUnsetDataFolderSaysHowToSetIt) {
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

}  // namespace
}  // namespace sightline::test
