#include "metric/caption_scores.h"

#include "base/error.h"
#include "base/json.h"
#include "metric/cider.h"
#include "metric/coco_files.h"
#include "metric/rouge_l.h"
#include "tests/support.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using Cases = std::vector<TokenizedCase>;

TEST(Bleu, ClippedPrecisionAndBrevity) {
  // The textbook's: "the" seven times against "the cat is on the mat" is right twice of seven.
  const Cases cases = {{"the the the the the the the", {"the cat is on the mat"}}};
  const BleuScores scores = bleu(count_ngrams(cases));
  EXPECT_NEAR(scores.corpus[0], 2.0 / 7.0, 1e-8);
  // Three words of four: precision 1, and exp(1 - 4/3) for brevity.
  const Cases brief = {{"a dog runs", {"a dog runs fast"}}};
  const BleuScores short_scores = bleu(count_ngrams(brief));
  EXPECT_NEAR(short_scores.corpus[0], std::exp(1 - 4.0 / 3.0), 1e-8);
  EXPECT_NEAR(short_scores.corpus[2], std::exp(1 - 4.0 / 3.0), 1e-8);
  // No 4-gram guessed: coco-caption's constants stand in, 1e-15 / 1e-9.
  EXPECT_NEAR(short_scores.corpus[3], std::exp(1 - 4.0 / 3.0) * std::pow(1e-6, 0.25), 1e-8);
}

TEST(Bleu, TheCorpusIsNotTheMeanOfCases) {
  const Cases cases = {{"a b c d", {"a b c d"}}, {"x y", {"p q"}}};
  const BleuScores scores = bleu(count_ngrams(cases));
  EXPECT_NEAR(scores.corpus[0], 4.0 / 6.0, 1e-8);
  EXPECT_NEAR(scores.cases[0][0], 1, 1e-8);
  EXPECT_NEAR(scores.cases[1][0], 0, 1e-8);
}

TEST(Bleu, OfTwoEquallyNearReferencesTheShorterCounts) {
  const Cases cases = {{"a b c", {"a b c d", "a b"}}};  // lengths 4 and 2, both one off
  EXPECT_NEAR(bleu(count_ngrams(cases)).corpus[0], 1, 1e-8);
}

TEST(RougeL, BestPrecisionAndBestRecall) {
  // Of "a b c d" and "a c": 2 words in common of 2 and of 4.
  const Cases cases = {{"a c", {"a b c d"}}, {"x", {"y"}}};
  const MetricScores scores = rouge_l(cases);
  EXPECT_NEAR(scores.cases[0], 2.44 * 1 * 0.5 / (0.5 + 1.44 * 1), 1e-12);
  EXPECT_EQ(scores.cases[1], 0);
  EXPECT_NEAR(scores.corpus, scores.cases[0] / 2, 1e-12);
}

TEST(RougeL, EmptyCaptionsAreOneEmptyWordAsInCocoCaption) {
  const Cases cases = {{"", {""}}, {"", {"a"}}};
  const MetricScores scores = rouge_l(cases);
  EXPECT_NEAR(scores.cases[0], 1, 1e-12);
  EXPECT_EQ(scores.cases[1], 0);
}

TEST(Cider, IdenticalCaptionsGetTenTimesTheOrdersTheyHave) {
  const Cases cases = {{"a b c d", {"a b c d"}}, {"e f", {"e f"}}};
  for (const CiderForm form : {CiderForm::kCocoCaption, CiderForm::kCosine}) {
    const MetricScores scores = cider(count_ngrams(cases), form);
    EXPECT_NEAR(scores.cases[0], 10, 1e-12);
    EXPECT_NEAR(scores.cases[1], 5, 1e-12);  // no 3-grams and 4-grams in two words
  }
}

TEST(Cider, FormsDifferInClippingAndLength) {
  // "b" says nothing (it is in every case's references); each other word weighs log 2.
  const Cases cases = {{"a a", {"a b"}}, {"b", {"b"}}};
  const MetricScores coco = cider(count_ngrams(cases), CiderForm::kCocoCaption);
  const MetricScores cosine = cider(count_ngrams(cases), CiderForm::kCosine);
  EXPECT_NEAR(cosine.cases[0], 10 * 1.0 / 4, 1e-12);
  EXPECT_NEAR(coco.cases[0], 10 * 0.5 / 4, 1e-12);
  EXPECT_EQ(coco.cases[1], 0);
  // Two bigrams longer: exp(-4 / 72), and "a" alone matches, among a, c and d.
  const Cases longer = {{"a c d", {"a"}}, {"b", {"b"}}};
  const MetricScores penalised = cider(count_ngrams(longer), CiderForm::kCocoCaption);
  EXPECT_NEAR(penalised.cases[0], 10 * std::exp(-4.0 / 72) / std::sqrt(3.0) / 4, 1e-12);
}

TEST(CaptionScores, NamesAndErrors) {
  const std::vector<CaptionCase> cases = {{"1", "A dog.", {"a dog"}}, {"2", "Cats!", {"two cats"}}};
  const CaptionScores scores = score_captions(cases);
  std::vector<std::string> names;
  for (const auto& [name, value] : scores.corpus) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L",
                                          "CIDEr", "CIDEr-D", "CIDEr_original"));
  EXPECT_EQ(scores["CIDEr"], scores["CIDEr-D"]);
  EXPECT_EQ(scores.cases[1].id, "2");
  EXPECT_THROW(score_captions({}), Error);
  EXPECT_THROW(score_captions(std::vector<CaptionCase>{{"1", "a", {}}}), Error);
  EXPECT_THROW(scores["METEOR"], Error);
}

TEST(CaptionScores, EqualCocoCaptionOnFakecap) {
  const auto folder = test::data_folder() / "metrics";
  SIGHTLINE_NEEDS(folder);
  const Json expected = read_json(folder / "fakecap1000_expected.json");
  const CocoCaptions captions =
      read_coco_captions(folder / "fakecap1000_refs.json", folder / "fakecap1000_hyps.json");
  ASSERT_EQ(captions.cases.size(), 1000U);
  EXPECT_EQ(captions.images_without_result, 0U);
  const CaptionScores scores = score_captions(captions.cases);
  constexpr double kTolerance = 1e-9;
  for (const char* name : {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"}) {
    EXPECT_NEAR(scores[name], expected["corpus"][name].get<double>(), kTolerance) << name;
  }
  for (const CaptionCaseScores& item : scores.cases) {
    const Json& image = expected["per_image"][item.id];
    for (size_t n = 0; n < kNgramOrders; ++n) {
      const double bleu_n = image[fmt::format("Bleu_{}", n + 1)].get<double>();
      EXPECT_NEAR(item.bleu[n], bleu_n, kTolerance) << item.id;
    }
    EXPECT_NEAR(item.rouge_l, image["ROUGE_L"].get<double>(), kTolerance) << item.id;
    EXPECT_NEAR(item.cider, image["CIDEr"].get<double>(), kTolerance) << item.id;
  }
}

}  // namespace
}  // namespace sightline
