// The rules and the search beside transformers.

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "bundle/bundle.h"
#include "generate/generator.h"
#include "generate/logits_rules.h"
#include "tests/generate/toy_model.h"
#include "tests/support.h"

#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using Row = std::vector<float>;

Json ask_oracle(const std::string& command, const Json& cases) {
  const TemporaryFolder folder;
  const auto in = folder.path() / "in.json", out = folder.path() / "out.json";
  write_json(in, cases);
  const auto result = run_oracle("generate", command + " " + in.string() + " " + out.string());
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.exit_code == 0 ? read_json(out) : Json::array();
}

// The names under which transformers knows these settings.
Json config_of(const DecodingRecipe& decoding) {
  Json config = {{"repetition_penalty", decoding.repetition_penalty},
                 {"no_repeat_ngram_size", decoding.no_repeat_ngram},
                 {"min_new_tokens", decoding.min_new_tokens}};
  if (decoding.temperature > 0) {
    config["do_sample"] = true;
    config["temperature"] = decoding.temperature;
    config["top_k"] = decoding.top_k;
    config["top_p"] = decoding.top_p;
    config["min_p"] = decoding.min_p;
  } else {
    config["num_beams"] = decoding.beams;
    config["num_return_sequences"] = decoding.answers;
    config["max_new_tokens"] = decoding.max_new_tokens;
    config["length_penalty"] = decoding.length_penalty;
  }
  return config;
}

// A row of log-probabilities, most of them small, as a language model's are.
Row random_row(Rng& rng, size_t vocab) {
  std::vector<double> logits(vocab);
  double sum = 0;
  for (double& each : logits) sum += std::exp(each = 3 * rng.normal());
  Row row;
  for (const double each : logits) row.push_back(static_cast<float>(each - std::log(sum)));
  return row;
}

struct RuleCase {
  DecodingRecipe decoding;
  std::vector<int32_t> answer;
  std::vector<Row> rows;
};

const std::vector<int32_t> kEnds = {0, 7};

std::vector<RuleCase> rule_cases() {
  const DecodingRecipe recipes[] = {{.temperature = 1.0, .repetition_penalty = 1.3},
                                    {.temperature = 1.0, .repetition_penalty = 0.6},
                                    {.temperature = 1.0, .no_repeat_ngram = 1},
                                    {.temperature = 1.0, .no_repeat_ngram = 2},
                                    {.temperature = 1.0, .no_repeat_ngram = 3},
                                    {.min_new_tokens = 12, .temperature = 1.0},
                                    {.min_new_tokens = 13, .temperature = 1.0},
                                    {.temperature = 0.3},
                                    {.temperature = 2.5},
                                    {.temperature = 1.0, .top_k = 1},
                                    {.temperature = 1.0, .top_k = 17},
                                    {.temperature = 1.0, .top_p = 0.3},
                                    {.temperature = 1.0, .top_p = 0.95},
                                    {.temperature = 1.0, .min_p = 0.05},
                                    {.temperature = 1.0, .min_p = 0.5},
                                    {.temperature = 0.7, .top_k = 20, .top_p = 0.9, .min_p = 0.02},
                                    {.min_new_tokens = 20,
                                     .temperature = 1.4,
                                     .top_k = 30,
                                     .top_p = 0.8,
                                     .min_p = 0.01,
                                     .repetition_penalty = 1.2,
                                     .no_repeat_ngram = 2}};
  std::vector<RuleCase> cases;
  Rng rng(5);
  for (const DecodingRecipe& decoding : recipes) {
    RuleCase each{.decoding = decoding};
    for (int i = 0; i < 12; ++i) each.answer.push_back(static_cast<int32_t>(rng.below(6)));
    for (int i = 0; i < 40; ++i) each.rows.push_back(random_row(rng, 200));
    cases.push_back(std::move(each));
  }
  return cases;
}

void expect_same(const Row& ours, const Json& theirs, const std::string& what) {
  ASSERT_EQ(ours.size(), theirs.size()) << what;
  for (size_t token = 0; token < ours.size(); ++token) {
    const Json& value = theirs[token];
    if (std::isinf(ours[token]) || value.is_null()) {
      EXPECT_TRUE(std::isinf(ours[token]) && value.is_null()) << what << ", token " << token;
    } else {
      EXPECT_NEAR(ours[token], value.get<double>(), 1e-5) << what << ", token " << token;
    }
  }
}

TEST(OracleGenerate, RulesAndTheirOrder) {
  SIGHTLINE_NEEDS(oracle_python());
  const std::vector<RuleCase> cases = rule_cases();
  Json asked = Json::array();
  for (const RuleCase& each : cases) {
    asked.push_back({{"config", config_of(each.decoding)},
                     {"answer", each.answer},
                     {"rows", each.rows},
                     {"end", kEnds}});
  }
  const Json expected = ask_oracle("rules", asked);
  ASSERT_EQ(expected.size(), cases.size());
  for (size_t c = 0; c < cases.size(); ++c) {
    for (size_t r = 0; r < cases[c].rows.size(); ++r) {
      Row row = cases[c].rows[r];
      apply_penalties(row, cases[c].decoding, cases[c].answer, kEnds);
      apply_truncation(row, cases[c].decoding);
      expect_same(row, expected[c][r], fmt::format("case {}, row {}", c, r));
    }
  }
}

// Real weights: beams with every penalty, all answers and their scores.
TEST(OracleGenerate, BeamsOfTinyStories) {
  SIGHTLINE_NEEDS(oracle_python());
  const auto folder = data_folder() / "weights/TinyStories-656K";
  SIGHTLINE_NEEDS(folder / "reference_outputs.json");
  const std::vector<std::vector<int32_t>> prompts = {
      {1, 80, 147, 201, 282, 57}, {1, 300, 41}, {1, 512, 900, 77, 20}};
  const DecodingRecipe recipes[] = {
      {.beams = 4, .max_new_tokens = 24, .answers = 3},
      {.beams = 3, .max_new_tokens = 20, .length_penalty = 0.0, .answers = 3},
      {.beams = 5, .max_new_tokens = 20, .length_penalty = 2.0, .no_repeat_ngram = 2, .answers = 2},
      {.beams = 4,
       .min_new_tokens = 8,
       .max_new_tokens = 30,
       .repetition_penalty = 1.2,
       .answers = 4}};
  Json asked = Json::array();
  for (const DecodingRecipe& decoding : recipes) {
    for (const auto& prompt : prompts) {
      asked.push_back({{"config", config_of(decoding)}, {"prompt", prompt}});
    }
  }
  const Json expected = ask_oracle("beams " + folder.string(), asked);
  ASSERT_EQ(expected.size(), asked.size());

  ModelRecipe recipe;
  recipe.language.emplace().folder = folder.string();
  const Bundle bundle = make_bundle(recipe, 0, at::kFloat);
  const int32_t end = bundle.prompt_template->end_ids().front();
  size_t next = 0;
  for (const DecodingRecipe& decoding : recipes) {
    for (const auto& ids : prompts) {
      const Json& theirs = expected[next++];
      Prompt prompt{.where = "reference"};
      for (const int32_t id : ids) append(prompt.rows, id, RowKind::user);
      const auto ours = Generator(bundle).answers({&prompt, 1}, decoding).front();
      ASSERT_EQ(ours.size(), theirs.size());
      for (size_t i = 0; i < ours.size(); ++i) {
        auto tokens = ours[i].tokens;
        if (ours[i].ended) tokens.push_back(end);
        auto their_ids = theirs[i]["ids"].get<std::vector<int32_t>>();
        while (their_ids.size() > tokens.size() && their_ids.back() == end) their_ids.pop_back();
        EXPECT_EQ(tokens, their_ids) << "case " << next - 1 << ", answer " << i;
        EXPECT_NEAR(ours[i].score, theirs[i]["score"].get<double>(), 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace sightline::test
