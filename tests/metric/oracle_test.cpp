// The metrics beside pycocoevalcap: its Java tokenizer over all captions there are and over random
// strings, its Python scorers over random captions.
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "metric/caption_scores.h"
#include "metric/cider.h"
#include "metric/coco_files.h"
#include "metric/ptb_tokenizer.h"
#include "metric/rouge_l.h"
#include "tests/support.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  size_t start = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  if (!text.empty()) text.pop_back();
  return text;
}

std::string run_oracle_on(const std::string& command, const std::string& input) {
  const test::TemporaryFolder folder;
  write_file(folder.path() / "in", input);
  const auto result = test::run_oracle("metric", command + " " + (folder.path() / "in").string() +
                                                     " " + (folder.path() / "out").string());
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.exit_code == 0 ? read_file(folder.path() / "out") : "";
}

// How many of the captions our tokens differ for. Prints the first few.
size_t differing(const std::vector<std::string>& captions) {
  const auto ours = ptb_tokenize_lines(captions);
  auto theirs = lines_of(run_oracle_on("tokenize", joined(captions)));
  theirs.resize(captions.size());
  size_t count = 0;
  for (size_t i = 0; i < captions.size(); ++i) {
    if (ours[i] == theirs[i]) continue;
    if (++count <= 5) log("'{}': ours '{}', coco-caption's '{}'", captions[i], ours[i], theirs[i]);
  }
  return count;
}

TEST(OracleTokenizer, AllCocoCaptions) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const auto file = test::data_folder() / "text" / "coco_captions.txt";
  SIGHTLINE_NEEDS(file);
  const auto captions = lines_of(read_file(file));
  EXPECT_GT(captions.size(), 200000U);
  EXPECT_EQ(differing(captions), 0U);
}

TEST(OracleTokenizer, AllFlickr8kCaptions) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const auto file = test::data_folder() / "flickr8k" / "Flickr8k.token.txt";
  SIGHTLINE_NEEDS(file);
  std::vector<std::string> captions;
  for (const std::string& line : lines_of(read_file(file))) {
    captions.push_back(line.substr(line.find('\t') + 1));
  }
  EXPECT_GT(captions.size(), 30000U);
  EXPECT_EQ(differing(captions), 0U);
}

TEST(OracleTokenizer, FilmReviews) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const auto file = test::data_folder() / "text" / "imdb_reviews.txt";
  SIGHTLINE_NEEDS(file);
  auto reviews = lines_of(read_file(file));
  for (std::string& review : reviews) std::erase(review, '\r');
  EXPECT_EQ(differing(reviews), 0U);
}

// Random strings of fragments, chosen to meet the rules' edges and each other's.
TEST(OracleTokenizer, Torture) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const std::vector<std::string> fragments = {"a",
                                              "b",
                                              "foo",
                                              "Foo",
                                              "U",
                                              "S",
                                              "U.S.",
                                              "Mr.",
                                              "etc.",
                                              "no.",
                                              "No",
                                              "5",
                                              "12",
                                              "123",
                                              "1990",
                                              "1,000",
                                              "3.5",
                                              ".",
                                              "..",
                                              "...",
                                              ",",
                                              ";",
                                              ":",
                                              "-",
                                              "--",
                                              "'",
                                              "''",
                                              "\"",
                                              "`",
                                              "(",
                                              ")",
                                              "[",
                                              "]",
                                              "{",
                                              "}",
                                              "<",
                                              ">",
                                              "/",
                                              "\\",
                                              "&",
                                              "&amp;",
                                              "@",
                                              "#",
                                              "$",
                                              "%",
                                              "*",
                                              "_",
                                              "+",
                                              "=",
                                              "~",
                                              "^",
                                              "|",
                                              "!",
                                              "?",
                                              "'s",
                                              "n't",
                                              "don't",
                                              "'ll",
                                              "'em",
                                              "'n",
                                              "cannot",
                                              "gonna",
                                              "the",
                                              "The",
                                              "www.",
                                              "http://",
                                              ".com",
                                              "x-ray",
                                              "o'",
                                              "d'",
                                              "y'",
                                              "'90s",
                                              "'90",
                                              "e",
                                              "i",
                                              "s",
                                              "'tis",
                                              "St.",
                                              "a.m.",
                                              "Ph.D.",
                                              " ",
                                              " ",
                                              " ",
                                              " ",
                                              "  ",
                                              ":)",
                                              ";-)",
                                              "=D",
                                              "AT&T",
                                              "c++",
                                              "US$",
                                              "1/2",
                                              "10:30",
                                              "(555)",
                                              "1234",
                                              "dogs",
                                              "\xc3\xa9",
                                              "\xc2\xbd",
                                              "\xc2\xa3",
                                              "\xe2\x80\x99",
                                              "\xe2\x80\x9c",
                                              "\xe2\x80\x94",
                                              "\xe2\x80\xa6",
                                              "\xf0\x9f\x98\x80"};
  Rng random(20250313);
  std::vector<std::string> captions(200000);
  for (std::string& caption : captions) {
    for (uint64_t left = 1 + random.below(7); left > 0; --left) {
      caption += fragments[random.below(fragments.size())];
    }
  }
  EXPECT_EQ(differing(captions), 0U);
}

// Few words, so that they repeat and match; all the shapes that scorers trip over.
std::vector<TokenizedCase> random_cases(Rng& random, size_t count) {
  const auto caption = [&](uint64_t longest) {
    std::string text;
    for (uint64_t left = random.below(longest + 1); left > 0; --left) {
      if (!text.empty()) text += ' ';
      text += static_cast<char>('a' + random.below(random.below(2) == 0 ? 3 : 26));
    }
    return text;
  };
  std::vector<TokenizedCase> cases(count);
  for (TokenizedCase& item : cases) {
    item.hypothesis = caption(random.below(3) == 0 ? 1 : 14);
    item.references.resize(random.below(5) == 0 ? 1 + random.below(30) : 1 + random.below(5));
    for (std::string& reference : item.references) reference = caption(12);
    if (random.below(8) == 0) item.hypothesis = item.references[0];
  }
  cases[0].references[0] = "a b c";  // pycocoevalcap needs one n-gram at least
  return cases;
}

Json to_json(const std::vector<TokenizedCase>& cases) {
  Json rows = Json::array();
  for (const TokenizedCase& item : cases) {
    rows.push_back({{"hypothesis", item.hypothesis}, {"references", item.references}});
  }
  return rows;
}

TEST(OracleScores, RandomCaptions) {
  SIGHTLINE_NEEDS(test::oracle_python());
  Rng random(7);
  for (const size_t count : {1, 2, 7, 400}) {
    const auto cases = random_cases(random, count);
    const Json theirs = Json::parse(run_oracle_on("score", to_json(cases).dump()));
    const NgramCorpus corpus = count_ngrams(cases);
    const BleuScores bleus = bleu(corpus);
    const MetricScores rouge = rouge_l(cases);
    const MetricScores coco = cider(corpus, CiderForm::kCocoCaption);
    const auto expect = [&](const Json& row, const Bleu& bleu_n, double rouge_value,
                            double cider_value) {
      for (size_t n = 0; n < kNgramOrders; ++n) {
        EXPECT_NEAR(bleu_n[n], row[fmt::format("Bleu_{}", n + 1)].get<double>(), 1e-9);
      }
      EXPECT_NEAR(rouge_value, row["ROUGE_L"].get<double>(), 1e-9);
      EXPECT_NEAR(cider_value, row["CIDEr"].get<double>(), 1e-9);
    };
    expect(theirs["corpus"], bleus.corpus, rouge.corpus, coco.corpus);
    for (size_t i = 0; i < count; ++i) {
      SCOPED_TRACE(to_json({cases[i]}).dump());
      expect(theirs["cases"][i], bleus.cases[i], rouge.cases[i], coco.cases[i]);
    }
  }
}

// Where no n-gram repeats, clipping changes nothing; with a huge sigma coco-caption's formula is
// then the paper's cosine.
TEST(OracleScores, OriginalCiderWhereNothingRepeats) {
  SIGHTLINE_NEEDS(test::oracle_python());
  Rng random(11);
  const auto caption = [&] {
    std::string text;
    for (char word = 'a'; word <= 'z'; ++word) {
      if (random.below(3) != 0) continue;
      if (!text.empty()) text += ' ';
      text += word;
    }
    return text;
  };
  std::vector<TokenizedCase> cases(200);
  for (TokenizedCase& item : cases) item = {caption(), {caption(), caption(), caption()}};
  const Json theirs = Json::parse(run_oracle_on("score", to_json(cases).dump()));
  const MetricScores ours = cider(count_ngrams(cases), CiderForm::kCosine);
  EXPECT_NEAR(ours.corpus, theirs["corpus"]["CIDEr_wide"].get<double>(), 1e-9);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_NEAR(ours.cases[i], theirs["cases"][i]["CIDEr_wide"].get<double>(), 1e-9);
  }
}

TEST(OracleScores, RawCaptionsAndTime) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const auto folder = test::data_folder() / "metrics";
  SIGHTLINE_NEEDS(folder);
  const CocoCaptions captions =
      read_coco_captions(folder / "fakecap1000_refs.json", folder / "fakecap1000_hyps.json");
  Json rows = Json::array();
  for (const CaptionCase& item : captions.cases) {
    rows.push_back({{"hypothesis", item.hypothesis}, {"references", item.references}});
  }
  const Json theirs = Json::parse(run_oracle_on("pipeline", rows.dump()));
  const double start = seconds_now();
  const CaptionScores ours = score_captions(captions.cases);
  const double seconds = seconds_now() - start;
  for (const char* name : {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"}) {
    EXPECT_NEAR(ours[name], theirs["corpus"][name].get<double>(), 1e-9) << name;
  }
  const auto their_seconds = theirs["seconds"].get<double>();
  log("1,000 captions, 5 references each: {:.3f} s; pycocoevalcap {:.2f} s, {:.0f} times as long",
      seconds, their_seconds, their_seconds / seconds);
}

}  // namespace
}  // namespace sightline
