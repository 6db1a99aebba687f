// What a recipe says is what its struct holds; settings; printing.

#include "tests/recipe/recipe_support.h"

#include <cstdlib>

#include <gmock/gmock.h>

namespace sightline::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Recipe parsed(std::string_view text, std::vector<std::string> settings = {}) {
  return parse_recipe(text, "r.toml", settings);
}

TEST(ParseRecipe, HoldsWhatTheFileSays) {
  const Workplace workplace;
  const Recipe recipe = parsed(kRecipe);
  EXPECT_EQ(recipe.name, "captioner");
  EXPECT_EQ(recipe.seed, 7u);
  EXPECT_EQ(recipe.file, "r.toml");
  EXPECT_EQ(recipe.model.vision->folder, "models/vit");
  EXPECT_FALSE(recipe.model.vision->config);
  EXPECT_EQ(recipe.model.connector, (ConnectorConfig{ConnectorKind::shuffle, 2}));
  EXPECT_EQ(recipe.model.mask, MaskPolicy::image);
  ASSERT_EQ(recipe.data.size(), 4u);
  EXPECT_EQ(recipe.data.at("train").where, "r.toml:9:1");
  EXPECT_EQ(recipe.data.at("shapes").split, "train");
  EXPECT_EQ(recipe.data.at("shapes").task, "caption");
  EXPECT_EQ(recipe.tasks.at("dev").name, "dev");
  EXPECT_THAT(recipe.eval.tasks, ElementsAre("dev"));
  ASSERT_EQ(recipe.stages.size(), 2u);
  EXPECT_EQ(recipe.stages[0].where, "r.toml:35:1");
  EXPECT_DOUBLE_EQ(recipe.stages[0].lr.base, 1e-3);
  EXPECT_THAT(recipe.stages[1].train, ElementsAre("connector", "vision.layers[8:]"));
  EXPECT_EQ(recipe.stages[1].mixture[0].weight, 2.0);
  EXPECT_EQ(recipe.stages[1].mixture[1].weight, 1.0);
  EXPECT_FALSE(recipe.stages[1].mask);
}

constexpr std::string_view kFull = R"(name = "all"
seed = 12
numbers = "bf16"
threads = 2
look_ahead = 64
side_by_side = 2
workers = 3
cache = "kept"
[model]
connector = { kind = "shuffle", factor = 4 }
tokenizer = "tokenizer.json"
template = "chatml"
mask = "prefix"
resize = "crop"
[model.vision]
hidden_size = 96
num_hidden_layers = 5
num_attention_heads = 6
intermediate_size = 200
image_size = 128
patch_size = 8
layer_norm_eps = 1e-6
[model.language]
vocab_size = 600
hidden_size = 64
num_hidden_layers = 3
num_attention_heads = 8
num_key_value_heads = 2
head_dim = 12
intermediate_size = 100
max_position_embeddings = 512
rms_norm_eps = 1e-5
rope_theta = 5e5
tie_word_embeddings = false
[data.f]
format = "flickr"
annotations = "captions.token.txt"
images = "photos"
split = "dev.txt"
prompt = "say \"it\"\n\tnow \\"
captions = "one"
on_bad_sample = "skip"
limit = 9
too_long = "split"
[data.f.augment]
crop = 0.5
flip = 0.25
colour = 0.125
[data.s]
format = "scenes"
split = "unseen"
prompt = "describe"
captions = "one"
count = 50
seed = 9007199254740993
task = "question"
[data.t]
format = "text"
annotations = "words.txt"
[data.k]
format = "karpathy"
annotations = "rows.jsonl"
images = "photos"
split = "train+restval"
prompt = "say"
captions = "one"
[data.l]
format = "llava"
annotations = "rows.jsonl"
images = "photos"
[task.c]
kind = "caption"
data = "f"
limit = 5
baselines = ["frequent", "nearest", "blind"]
neighbours = "f"
[task.c.decoding]
beams = 6
beam_groups = 3
diversity = 0.6
min_new_tokens = 2
max_new_tokens = 20
length_penalty = 0.7
repetition_penalty = 1.2
no_repeat_ngram = 3
stop = [".", "\n"]
answers = 4
batch = 8
[task.q]
kind = "question"
data = "s"
decoding = { temperature = 0.8, top_k = 50, top_p = 0.9, min_p = 0.02, seed = 18 }
[eval]
every = 10
tasks = ["c", "q"]
validation = "s"
validation_limit = 17
best = "validation_loss"
patience = 3
[checkpoint]
every = 4
keep = 5
[[stage]]
name = "one"
train = ["language.layers[-2:]", "vision.norm", "language.head"]
mixture = [{ data = "l", weight = 0.1, limit = 7 }, { data = "t", weight = 3, repeats = 2.5 }]
epochs = 0.5
max_steps = 100
step_tokens = 1000
micro_tokens = 500
lr = { base = 2e-3, vision = 1e-5, connector = 3e-3, language = 0.25 }
warmup = 0.1
schedule = "wsd"
decay_share = 0.3
final_lr = 0.01
layer_decay = 0.8
weight_decay = { base = 0.05, vision = 0.0, language = 0.1 }
dropout = { base = 0.01, vision = 0.02, connector = 0.03, language = 0.04 }
ema = 0.999
optimizer = "muon"
beta1 = 0.8
beta2 = 0.99
epsilon = 1e-6
clip = 0.5
mask_ratio = 0.75
edge_weight = 2.5
mask = "question"
)";

void expect_full(const Recipe& recipe) {
  EXPECT_EQ(recipe.numbers, NumberType::bf16);
  EXPECT_EQ(recipe.threads, 2);
  EXPECT_EQ(recipe.look_ahead, 64);
  EXPECT_EQ(recipe.side_by_side, 2);
  EXPECT_EQ(recipe.workers, 3);
  EXPECT_EQ(recipe.cache, "kept");
  EXPECT_EQ(recipe.model.connector, (ConnectorConfig{ConnectorKind::shuffle, 4}));
  EXPECT_EQ(recipe.model.tokenizer, "tokenizer.json");
  EXPECT_EQ(recipe.model.prompt_template, "chatml");
  EXPECT_EQ(recipe.model.mask, MaskPolicy::prefix);
  EXPECT_EQ(recipe.model.resize, "crop");
  EXPECT_EQ(*recipe.model.vision->config,
            (VisionConfig{VisionKind::vit, 96, 5, 6, 200, 128, 8, 1e-6}));
  EXPECT_EQ(*recipe.model.language->config, (LanguageConfig{LanguageKind::llama, 600, 64, 3, 8, 2,
                                                            12, 100, 512, 1e-5, 5e5, 0.02, false}));
  const DataRecipe& flickr = recipe.data.at("f");
  EXPECT_EQ(flickr.format, DataFormat::flickr);
  EXPECT_EQ(flickr.annotations, "captions.token.txt");
  EXPECT_EQ(flickr.images, "photos");
  EXPECT_EQ(flickr.split, "dev.txt");
  EXPECT_EQ(flickr.prompt, "say \"it\"\n\tnow \\");
  EXPECT_EQ(flickr.captions, CaptionsMode::one);
  EXPECT_EQ(flickr.on_bad_sample, OnBadSample::skip);
  EXPECT_EQ(flickr.limit, 9);
  EXPECT_EQ(flickr.too_long, TooLong::split);
  EXPECT_EQ(flickr.augment.crop, 0.5);
  EXPECT_EQ(flickr.augment.flip, 0.25);
  EXPECT_EQ(flickr.augment.colour, 0.125);
  const DataRecipe& scenes = recipe.data.at("s");
  EXPECT_EQ(scenes.split, "unseen");
  EXPECT_EQ(scenes.count, 50);
  EXPECT_EQ(scenes.seed, 9007199254740993u);
  EXPECT_EQ(scenes.task, "question");
  const DataRecipe& karpathy = recipe.data.at("k");
  EXPECT_EQ(karpathy.format, DataFormat::karpathy);
  EXPECT_EQ(karpathy.images, "photos");
  EXPECT_EQ(karpathy.split, "train+restval");
  EXPECT_EQ(karpathy.prompt, "say");
  EXPECT_EQ(karpathy.captions, CaptionsMode::one);
  EXPECT_EQ(recipe.data.at("l").format, DataFormat::llava);
  EXPECT_EQ(recipe.data.at("l").images, "photos");
  const TaskRecipe& task = recipe.tasks.at("c");
  EXPECT_EQ(task.kind, TaskKind::caption);
  EXPECT_EQ(task.data, "f");
  EXPECT_EQ(task.limit, 5);
  EXPECT_EQ(task.decoding.beams, 6);
  EXPECT_EQ(task.decoding.beam_groups, 3);
  EXPECT_EQ(task.decoding.diversity, 0.6);
  EXPECT_EQ(task.decoding.min_new_tokens, 2);
  EXPECT_EQ(task.decoding.max_new_tokens, 20);
  EXPECT_EQ(task.decoding.length_penalty, 0.7);
  EXPECT_EQ(task.decoding.repetition_penalty, 1.2);
  EXPECT_EQ(task.decoding.no_repeat_ngram, 3);
  EXPECT_THAT(task.decoding.stop, ElementsAre(".", "\n"));
  EXPECT_EQ(task.decoding.answers, 4);
  EXPECT_EQ(task.decoding.batch, 8);
  const DecodingRecipe& drawn = recipe.tasks.at("q").decoding;
  EXPECT_EQ(drawn.temperature, 0.8);
  EXPECT_EQ(drawn.top_k, 50);
  EXPECT_EQ(drawn.top_p, 0.9);
  EXPECT_EQ(drawn.min_p, 0.02);
  EXPECT_EQ(drawn.seed, 18u);
  EXPECT_THAT(task.baselines, ElementsAre("frequent", "nearest", "blind"));
  EXPECT_EQ(task.neighbours, "f");
  EXPECT_EQ(recipe.eval.every, 10);
  EXPECT_THAT(recipe.eval.tasks, ElementsAre("c", "q"));
  EXPECT_EQ(recipe.eval.validation, "s");
  EXPECT_EQ(recipe.eval.validation_limit, 17);
  EXPECT_EQ(recipe.eval.best, "validation_loss");
  EXPECT_EQ(recipe.eval.patience, 3);
  EXPECT_EQ(recipe.checkpoint.every, 4);
  EXPECT_EQ(recipe.checkpoint.keep, 5);
  const StageRecipe& stage = recipe.stages.at(0);
  EXPECT_EQ(stage.mixture.at(0).limit, 7);
  EXPECT_EQ(stage.mixture.at(1).repeats, 2.5);
  EXPECT_EQ(stage.epochs, 0.5);
  EXPECT_EQ(stage.max_steps, 100);
  EXPECT_EQ(stage.step_tokens, 1000);
  EXPECT_EQ(stage.micro_tokens, 500);
  EXPECT_EQ(stage.lr.base, 2e-3);
  EXPECT_EQ(stage.lr.vision, 1e-5);
  EXPECT_EQ(stage.lr.connector, 3e-3);
  EXPECT_EQ(stage.lr.language, 0.25);
  EXPECT_EQ(stage.warmup, 0.1);
  EXPECT_EQ(stage.schedule, Schedule::wsd);
  EXPECT_EQ(stage.decay_share, 0.3);
  EXPECT_EQ(stage.final_lr, 0.01);
  EXPECT_EQ(stage.layer_decay, 0.8);
  EXPECT_EQ(stage.weight_decay.base, 0.05);
  EXPECT_EQ(stage.weight_decay.vision, 0.0);
  EXPECT_EQ(stage.weight_decay.connector, std::nullopt);
  EXPECT_EQ(stage.weight_decay.language, 0.1);
  EXPECT_EQ(stage.dropout.base, 0.01);
  EXPECT_EQ(stage.dropout.vision, 0.02);
  EXPECT_EQ(stage.dropout.connector, 0.03);
  EXPECT_EQ(stage.dropout.language, 0.04);
  EXPECT_EQ(stage.ema, 0.999);
  EXPECT_EQ(stage.beta1, 0.8);
  EXPECT_EQ(stage.optimizer, OptimizerKind::muon);
  EXPECT_EQ(stage.beta2, 0.99);
  EXPECT_EQ(stage.epsilon, 1e-6);
  EXPECT_EQ(stage.clip, 0.5);
  EXPECT_EQ(stage.mask_ratio, 0.75);
  EXPECT_EQ(stage.edge_weight, 2.5);
  EXPECT_EQ(stage.mask, MaskPolicy::question);
}

TEST(ParseRecipe, ReadsEveryKey) {
  const Workplace workplace;
  expect_full(parsed(kFull));
}

TEST(ParseRecipe, FillsHeadsFromWhatIsGiven) {
  const Workplace workplace;
  const Recipe recipe = parsed(replaced(
      kRecipe, "language = \"models/lm\"",
      "tokenizer = \"models/lm\"\nlanguage = { hidden_size = 96, num_attention_heads = 6 }"));
  EXPECT_EQ(recipe.model.language->config->head_dim, 16);
  EXPECT_EQ(recipe.model.language->config->num_key_value_heads, 6);
}

constexpr std::string_view kSiglipAndQwen2 = R"(connector = { kind = "pool", factor = 3 }
tokenizer = "tokenizer.json"
[model.vision]
kind = "siglip"
hidden_size = 72
image_size = 384
patch_size = 14
last_norm = false
[model.language]
kind = "qwen2"
hidden_size = 64)";

TEST(ParseRecipe, TakesSiglipAndQwen2AndPrintsThemBack) {
  const Workplace workplace;
  const std::string text = replaced(
      kRecipe, "vision = \"models/vit\"\nlanguage = \"models/lm\"\nconnector = \"shuffle\"",
      kSiglipAndQwen2);
  const Recipe recipe = parsed(text);
  VisionConfig vision{VisionKind::siglip, 72, 12, 3, 768, 384, 14, 1e-6};
  vision.last_norm = false;
  EXPECT_EQ(*recipe.model.vision->config, vision);
  EXPECT_EQ(recipe.model.language->config->kind, LanguageKind::qwen2);
  EXPECT_EQ(recipe.model.connector, (ConnectorConfig{ConnectorKind::pool, 3}));
  const Recipe back = parsed(print_recipe(recipe));
  EXPECT_EQ(back.model.vision->config, recipe.model.vision->config);
  EXPECT_EQ(back.model.language->config, recipe.model.language->config);
  EXPECT_EQ(back.model.connector, recipe.model.connector);
  const Recipe linear = parsed(replaced(kRecipe, "\"shuffle\"", "\"linear\""));
  EXPECT_EQ(linear.model.connector, (ConnectorConfig{ConnectorKind::linear, 1}));
  EXPECT_EQ(parsed(print_recipe(linear)).model.connector, linear.model.connector);
}

TEST(ParseRecipe, ExpandsTheEnvironment) {
  const Workplace workplace;
  setenv("SIGHTLINE_TEST_FOLDER", "models", 1);
  const Recipe recipe = parsed(replaced(kRecipe, "models/vit", "${SIGHTLINE_TEST_FOLDER}/vit"));
  EXPECT_EQ(recipe.model.vision->folder, "models/vit");
}

TEST(ParseRecipe, GoesOnWithTheFoldersMask) {
  const Workplace workplace;
  const std::string text = replaced(
      kRecipe, "vision = \"models/vit\"\nlanguage = \"models/lm\"\nconnector = \"shuffle\"",
      "from = \"runs/model\"");
  EXPECT_EQ(parsed(text).model.mask, MaskPolicy::prefix);
  EXPECT_EQ(parsed(text, {"model.mask=causal"}).model.mask, MaskPolicy::causal);
}

// A model folder's recipe, read where nothing that it names is left.
TEST(ParseRecipe, PathsMayWaitUntilTheyAreOpened) {
  const Workplace workplace;
  std::string text = print_recipe(parsed(kFull));
  text = replaced(text, "\"words.txt\"", "\"${SIGHTLINE_NO_SUCH_VARIABLE}/words.txt\"");
  const std::string on = replaced(
      kRecipe, "vision = \"models/vit\"\nlanguage = \"models/lm\"\nconnector = \"shuffle\"",
      "from = \"runs/model\"\nmask = \"question\"");
  const TemporaryFolder elsewhere;
  std::filesystem::current_path(elsewhere.path());
  const std::string folders(kRecipe);  // parts from folders, the tokenizer the language's
  for (const std::string& each : {text, on, folders}) {
    EXPECT_NE(mistake_in(each), "");
    EXPECT_NO_THROW(parse_recipe(each, "r.toml", {}, PathCheck::later)) << each;
  }
  const Recipe recipe = parse_recipe(on, "r.toml", {}, PathCheck::later);
  EXPECT_EQ(recipe.model.mask, MaskPolicy::question);
  EXPECT_EQ(recipe.data.at("train").images, "photos");
  const Recipe full = parse_recipe(text, "r.toml", {}, PathCheck::later);
  EXPECT_EQ(full.data.at("t").annotations, "${SIGHTLINE_NO_SUCH_VARIABLE}/words.txt");
}

TEST(ParseRecipe, OtherMistakesDoNotWait) {
  const Workplace workplace;
  const std::string text = replaced(replaced(kRecipe, "lr = 1e-3", "lr = 30.0"), "photos", "gone");
  try {
    parse_recipe(text, "r.toml", {}, PathCheck::later);
    FAIL() << "was taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), StartsWith("r.toml:39:6: \"lr\""));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("gone")));
  }
}

TEST(ParseRecipe, ScenesOfTextNeedNoVision) {
  const Workplace workplace;
  const std::string text =
      "name = \"words\"\n[model]\nlanguage = \"models/lm\"\n[data.tales]\nformat = \"scenes\"\n"
      "count = 9\ntask = \"text\"\nsplit = \"validation\"\n[[stage]]\nname = \"read\"\n"
      "train = [\"language\"]\nmixture = [{ data = \"tales\" }]\n";
  EXPECT_EQ(mistake_in(text), "");
  EXPECT_THAT(
      mistake_in(replaced(text, "task = \"text\"", "task = \"both\"")),
      HasSubstr("r.toml:12:21: \"data\" in the mixture of [[stage]] \"read\" names \"tales\", "
                "which holds pictures"));
}

TEST(PrintRecipe, PrintsWhatParsesToTheSame) {
  const Workplace workplace;
  const std::string from =
      "name = \"on\"\n[model]\nfrom = \"runs/model\"\n[data.web]\nformat = "
      "\"jsonl\"\nannotations = \"rows.jsonl\"\n[[stage]]\nname = \"s\"\n"
      "train = [\"vision\"]\nmixture = [{ data = \"web\" }]\n";
  for (const std::string_view text : {kRecipe, kFull, std::string_view(from)}) {
    const std::string once = print_recipe(parsed(text));
    EXPECT_EQ(print_recipe(parsed(once)), once);
  }
}

// Every value of the full recipe differs from its default: one that the printer forgot or misspelt
// would come back changed.
TEST(PrintRecipe, LosesNothing) {
  const Workplace workplace;
  const std::string printed = print_recipe(parsed(kFull));
  expect_full(parsed(printed));
  EXPECT_THAT(printed, HasSubstr("lr = { base = 0.002, vision = 1e-05, connector = 0.003, "
                                 "language = 0.25 }"));
  EXPECT_THAT(printed, HasSubstr("mixture = [{ data = \"l\", weight = 0.1, limit = 7 }, "
                                 "{ data = \"t\", weight = 3.0, limit = 0, repeats = 2.5 }]"));
  EXPECT_THAT(printed, HasSubstr("prompt = \"say \\\"it\\\"\\u000A\\u0009now \\\\\""));
  EXPECT_THAT(printed, HasSubstr("seed = 9007199254740993"));
}

TEST(Settings, ReachEveryKindOfTable) {
  const Workplace workplace;
  const Recipe recipe =
      parsed(kRecipe, {"stage.deepen.lr=2e-3", "data.train.limit=200", "seed=3", "name=other",
                       "stage.align.train=[\"connector\", \"vision.norm\"]", "checkpoint.every=5",
                       "task.dev.decoding.beams=4", "model.language=models/lm",
                       "stage.align.lr.vision=1e-4", "stage.align.dropout=0.1",
                       "stage.align.dropout.language=0.2", "data.web.images=./photos"});
  EXPECT_EQ(recipe.stages[1].lr.base, 2e-3);
  EXPECT_EQ(recipe.data.at("train").limit, 200);
  EXPECT_EQ(recipe.seed, 3u);
  EXPECT_EQ(recipe.name, "other");
  EXPECT_THAT(recipe.stages[0].train, ElementsAre("connector", "vision.norm"));
  EXPECT_EQ(recipe.checkpoint.every, 5);
  EXPECT_EQ(recipe.tasks.at("dev").decoding.beams, 4);
  EXPECT_EQ(recipe.stages[0].lr.base, 1e-3);
  EXPECT_EQ(recipe.stages[0].lr.vision, 1e-4);
  EXPECT_EQ(recipe.stages[0].dropout.base, 0.1);
  EXPECT_EQ(recipe.stages[0].dropout.language, 0.2);
  EXPECT_EQ(recipe.data.at("web").images, "./photos");
}

TEST(Settings, TheLaterWins) {
  const Workplace workplace;
  EXPECT_EQ(parsed(kRecipe, {"seed=3", "seed=4"}).seed, 4u);
}

struct BadSetting {
  const char* setting;
  const char* where;
  const char* says;
};

class SettingMistake : public ::testing::TestWithParam<BadSetting> {};

TEST_P(SettingMistake, NamesTheSetting) {
  const Workplace workplace;
  const std::vector<std::string> settings = {GetParam().setting};
  const std::string said = mistake_in(kRecipe, settings);
  EXPECT_THAT(said, StartsWith(std::string(GetParam().where) + ": "));
  EXPECT_THAT(said.substr(0, said.find('\n')), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Recipe, SettingMistake,
    ::testing::Values(
        BadSetting{"stage.algn.lr=1e-3", "--set stage.algn.lr", "did you mean \"align\"?"},
        BadSetting{"stage.align.ls=1e-3", "--set stage.align.ls", "did you mean \"lr\"?"},
        BadSetting{"stage.align.lr=fast", "--set stage.align.lr", "a number is expected"},
        BadSetting{"stage.align.lr=5", "--set stage.align.lr", "at most 1"},
        BadSetting{"stage.align.lr", "--set stage.align.lr", "KEY=VALUE"},
        BadSetting{"stage.align=3", "--set stage.align", "a stage's key"},
        BadSetting{"data.trian.limit=3", "--set data.trian.limit", "did you mean \"train\"?"},
        BadSetting{"data.train.images=fotos", "--set data.train.images",
                   "did you mean \"photos\"?"},
        BadSetting{"sed=3", "--set sed", "did you mean \"seed\"?"},
        BadSetting{"evl.every=3", "--set evl.every", "did you mean \"eval\"?"},
        BadSetting{"seed=1.5", "--set seed", "whole number"},
        BadSetting{"stage.align.train=[connector]", "--set stage.align.train", "not TOML"},
        BadSetting{"stage.align.train=[\"conector\"]", "--set stage.align.train",
                   "did you mean \"connector\"?"},
        BadSetting{"model.vision.hidden_size=96", "--set model.vision.hidden_size", "set it whole"},
        BadSetting{"stage.align.mixture=[{ data = \"wbe\" }]", "--set stage.align.mixture",
                   "did you mean \"web\"?"},
        BadSetting{"a b=3", "--set a b", "is no key"}));

TEST(Settings, MendTheFile) {
  const Workplace workplace;
  const std::string broken = replaced(kRecipe, "lr = 1e-3", "lr = 30.0");
  EXPECT_NE(mistake_in(broken), "");
  EXPECT_EQ(mistake_in(broken, std::vector<std::string>{"stage.align.lr=1e-3"}), "");
}

TEST(MaskNames, AreFourAndBothWays) {
  for (const char* name : {"causal", "image", "prefix", "question"}) {
    EXPECT_EQ(name_of(mask_policy_named(name)), name);
  }
  EXPECT_THROW(mask_policy_named("full"), Error);
  EXPECT_EQ(name_of(NumberType::bf16), "bf16");
  EXPECT_EQ(name_of(ConnectorKind::shuffle), "shuffle");
}

// The keys of one table, as the parser itself lists them when it meets an unknown one.
std::vector<std::string> keys_listed(std::string_view text, const std::string& title) {
  const std::string said = mistake_in(text);
  const std::string head = "unknown key \"qqqqqqqqqqqq\" in " + title + "; its keys are: ";
  const size_t at = said.find(head);
  EXPECT_NE(at, std::string::npos) << title << "\n" << said;
  std::vector<std::string> keys;
  if (at == std::string::npos) return keys;
  const std::string list = said.substr(at + head.size(), said.find('\n', at) - at - head.size());
  for (size_t open = list.find('"'); open != std::string::npos;) {
    const size_t close = list.find('"', open + 1);
    keys.push_back(list.substr(open + 1, close - open - 1));
    open = list.find('"', close + 1);
  }
  return keys;
}

TEST(RecipeDocs, HoldEveryKey) {
  const Workplace workplace;
  const std::string page = read_file(source_folder() / "docs/recipe.md");
  struct Table {
    const char* before;  // after this line of kFull the unknown key is put
    const char* title;
    const char* section;  // the heading in the page
  };
  const Table tables[] = {
      {"cache = \"kept\"\n", "the recipe", "## The run"},
      {"resize = \"crop\"\n", "[model]", "## `[model]`"},
      {"layer_norm_eps = 1e-6\n", "[model.vision]", "### `[model.vision]`"},
      {"tie_word_embeddings = false\n", "[model.language]", "### `[model.language]`"},
      {"limit = 9\n", "[data.f]", "## `[data.NAME]`"},
      {"colour = 0.125\n", "augment of [data.f]", "### `augment`"},
      {"task = \"question\"\n", "[data.s]", "## `[data.NAME]`"},
      {"neighbours = \"f\"\n", "[task.c]", "## `[task.NAME]`"},
      {"batch = 8\n", "decoding of [task.c]", "### `decoding`"},
      {"validation_limit = 17\n", "[eval]", "## `[eval]`"},
      {"keep = 5\n", "[checkpoint]", "## `[checkpoint]`"},
      {"mask_ratio = 0.75\n", "[[stage]] \"one\"", "## `[[stage]]`"},
  };
  size_t count = 0;
  for (const Table& table : tables) {
    const std::string text =
        replaced(kFull, table.before, std::string(table.before) + "qqqqqqqqqqqq = 1\n");
    const size_t start = page.find(std::string("\n") + table.section);
    ASSERT_NE(start, std::string::npos) << table.section;
    const size_t level = std::string_view(table.section).find(' ');
    size_t end = page.find("\n## ", start + 1);
    if (level == 3) end = std::min(end, page.find("\n### ", start + 1));
    const std::string section = page.substr(start, end - start);
    for (const std::string& key : keys_listed(text, table.title)) {
      EXPECT_THAT(section, HasSubstr("| `" + key + "` |")) << table.title;
      ++count;
    }
  }
  EXPECT_GT(count, 80u);
}

// The page's own example must be a recipe that is taken as it stands.
TEST(RecipeDocs, ExampleIsARecipe) {
  const Workplace workplace;
  const std::string page = read_file(source_folder() / "docs/recipe.md");
  const size_t start = page.find("```toml\nname = ");
  ASSERT_NE(start, std::string::npos);
  const size_t begin = start + std::string_view("```toml\n").size();
  std::string text = page.substr(begin, page.find("```", begin) - begin);
  std::filesystem::create_directories("data/flickr8k/images");
  std::filesystem::create_directories("data/text");
  std::filesystem::create_directories("models/vit-tiny");
  std::filesystem::create_directories("models/words");
  for (const char* file :
       {"data/flickr8k/Flickr8k.token.txt", "data/flickr8k/Flickr_8k.trainImages.txt",
        "data/flickr8k/Flickr_8k.devImages.txt", "models/vit-tiny/config.json",
        "models/words/config.json", "models/words/tokenizer.json", "data/questions.jsonl"}) {
    std::ofstream(file) << "{}";
  }
  for (const std::string_view name = "${SIGHTLINE_DATA}"; text.find(name) != std::string::npos;) {
    text.replace(text.find(name), name.size(), "data");
  }
  EXPECT_EQ(mistake_in(text), "");
  const Recipe recipe = parsed(text);
  std::vector<std::string> names;
  for (const StageRecipe& stage : recipe.stages) names.push_back(stage.name);
  EXPECT_THAT(names, ElementsAre("align", "deepen", "pretrain", "instruct"));
}

}  // namespace
}  // namespace sightline::test
