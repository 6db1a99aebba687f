// Encoding and decoding against Hugging Face tokenizers on real text and on hard Unicode.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/support.h"
#include "tests/text/hard_texts.h"
#include "text/tokenizer.h"
#include "text/tokenizer_training.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;
using test::data_folder;

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Reads what `oracle_tokenizer.py encode` wrote.
class OracleRows {
 public:
  explicit OracleRows(const fs::path& path) : bytes_(read_file(path)) {}
  std::vector<int32_t> ids() {
    std::vector<int32_t> result(number());
    std::memcpy(result.data(), bytes_.data() + at_, result.size() * sizeof(int32_t));
    at_ += result.size() * sizeof(int32_t);
    return result;
  }
  std::string_view text() {
    const int32_t size = number();
    at_ += size;
    return std::string_view(bytes_).substr(at_ - size, size);
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  int32_t number() {
    int32_t value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }
  std::string bytes_;
  size_t at_ = 0;
};

Json oracle(const std::string& arguments) {
  const auto result = test::run_oracle("tokenizer", arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  if (result.exit_code != 0) return nullptr;
  return parse_json(result.output, "the oracle's output");
}

// Every line must have the oracle's ids, and those must decode to the oracle's text.
void expect_equal_to_oracle(const fs::path& tokenizer_json, const fs::path& text) {
  const test::TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  const Json report = oracle("encode " + tokenizer_json.string() + " " + text.string() + " " +
                             out.string());
  ASSERT_FALSE(report.is_null());
  const auto lines = lines_of(text);
  ASSERT_EQ(report["lines"].get<size_t>(), lines.size());
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_json);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::vector<int32_t>> ours;
  for (const auto& line : lines) ours.push_back(tokenizer.encode(line));
  const double seconds = seconds_since(start);
  OracleRows rows(out);
  int wrong = 0;
  for (size_t i = 0; i < lines.size() && wrong < 5; ++i) {
    const auto theirs = rows.ids();
    const auto text_of_theirs = rows.text();
    if (ours[i] == theirs && tokenizer.decode(theirs) == text_of_theirs) continue;
    ++wrong;
    ADD_FAILURE() << text << " line " << i + 1 << ": " << lines[i].substr(0, 300);
  }
  EXPECT_TRUE(wrong > 0 || rows.at_end());
  const double theirs = report["encode_seconds"].get<double>();
  std::cout << text.filename().string() << ": " << lines.size() << " lines, " << seconds
            << " s, HF tokenizers on one thread " << theirs << " s: " << theirs / seconds
            << " times as fast\n";
}

enum class CompareSkipping { yes, no };

void expect_hard_texts_equal(const fs::path& tokenizer_json, CompareSkipping skipping) {
  auto texts = test::hard_texts();
  for (auto& text : test::random_texts(2000, 1)) texts.push_back(std::move(text));
  const test::TemporaryFolder folder;
  const fs::path list = folder.path() / "texts.json";
  write_json(list, Json(texts));
  const Json rows = oracle("texts " + tokenizer_json.string() + " " + list.string());
  ASSERT_EQ(rows.size(), texts.size());
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_json);
  for (size_t i = 0; i < texts.size() && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(texts[i].substr(0, 200));
    const auto ids = rows[i]["ids"].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer.encode(texts[i]), ids);
    EXPECT_EQ(tokenizer.encode(texts[i], {SpecialTokens::as_text}),
              rows[i]["as_text"].get<std::vector<int32_t>>());
    EXPECT_EQ(tokenizer.decode(ids), rows[i]["text"].get<std::string>());
    if (skipping == CompareSkipping::yes) {
      EXPECT_EQ(tokenizer.decode(ids, {DecodeSpecial::skip}),
                rows[i]["skipped"].get<std::string>());
    }
  }
}

class OracleTokenizer : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    for (const fs::path& path : {test::oracle_python(), file()}) SIGHTLINE_NEEDS(path);
  }
  fs::path file() const { return data_folder() / GetParam() / "tokenizer.json"; }
};

TEST_P(OracleTokenizer, EveryCaption) {
  const fs::path path = data_folder() / "text/coco_captions.txt";
  SIGHTLINE_NEEDS(path);
  expect_equal_to_oracle(file(), path);
}

TEST_P(OracleTokenizer, EveryReview) {
  const fs::path path = data_folder() / "text/imdb_reviews.txt";
  SIGHTLINE_NEEDS(path);
  expect_equal_to_oracle(file(), path);
}

TEST_P(OracleTokenizer, HardTexts) {
  // The oracle doesn't skip special tokens that the normalizer changes, as it does this one's.
  const bool skips = std::string(GetParam()) != "weights/TinyStories-656K";
  expect_hard_texts_equal(file(), skips ? CompareSkipping::yes : CompareSkipping::no);
}

TEST_P(OracleTokenizer, SavedFileIsTheSameTokenizer) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> added = {"<image>", "<|new|>"};
  Tokenizer::load(file()).with_added_tokens(added).save(folder.path());
  expect_hard_texts_equal(folder.path() / "tokenizer.json", CompareSkipping::no);
  const std::string text = "see <image> and<|new|>.";
  const Tokenizer saved = Tokenizer::load(folder.path());
  write_json(folder.path() / "texts.json", Json::array({text}));
  const Json rows = oracle("texts " + (folder.path() / "tokenizer.json").string() + " " +
                           (folder.path() / "texts.json").string());
  ASSERT_EQ(rows.size(), 1);
  const auto ids = saved.encode(text);
  EXPECT_EQ(ids, rows[0]["ids"].get<std::vector<int32_t>>());
  EXPECT_TRUE(std::find(ids.begin(), ids.end(), saved.vocab_size() - 1) != ids.end());
}

INSTANTIATE_TEST_SUITE_P(Oracle, OracleTokenizer,
                         testing::Values("weights/TinyStories-656K", "tokenizers/gpt2",
                                         "tokenizers/smollm"));

// tokenizer.json files made by changing a small trained one: kinds that the real ones here lack.
class OracleComponents : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path path = test::oracle_python();
    SIGHTLINE_NEEDS(path);
    std::vector<std::string> lines = test::hard_texts();
    for (const char* words : {"the man on the street", "a cat and a dog", "12 cats, 144 dogs!"}) {
      for (int i = 0; i < 9; ++i) lines.push_back(words);
    }
    train_tokenizer(lines, {.vocab_size = 600}).save(folder_.path());
    file_ = read_json(json_path());
  }
  fs::path json_path() const { return folder_.path() / "tokenizer.json"; }
  void expect_equal(CompareSkipping skipping = CompareSkipping::yes) {
    write_json(json_path(), file_);
    expect_hard_texts_equal(json_path(), skipping);
  }
  static Json byte_level(bool use_regex, bool add_prefix_space) {
    return {{"type", "ByteLevel"},
            {"add_prefix_space", add_prefix_space},
            {"trim_offsets", true},
            {"use_regex", use_regex}};
  }
  static Json split(Json pattern, const char* behavior, bool invert) {
    return {{"type", "Split"},
            {"pattern", std::move(pattern)},
            {"behavior", behavior},
            {"invert", invert}};
  }
  static Json sequence(Json parts) {
    return {{"type", "Sequence"}, {"pretokenizers", std::move(parts)}};
  }

  test::TemporaryFolder folder_;
  Json file_;
};

TEST_F(OracleComponents, AsTrained) { expect_equal(); }

TEST_F(OracleComponents, QwenWordsAndNfc) {
  const Json pattern = {
      {"Regex",
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}};
  file_["normalizer"] = {{"type", "NFC"}};
  file_["pre_tokenizer"] =
      sequence(Json::array({split(pattern, "Isolated", false), byte_level(false, false)}));
  expect_equal();
}

TEST_F(OracleComponents, OtherUnicodeForms) {
  for (const char* form : {"NFD", "NFKC", "NFKD"}) {
    SCOPED_TRACE(form);
    file_["normalizer"] = {{"type", form}};
    expect_equal();
  }
}

TEST_F(OracleComponents, SplitBehaviors) {
  for (const char* behavior :
       {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"}) {
    for (const bool invert : {false, true}) {
      SCOPED_TRACE(std::string(behavior) + (invert ? " inverted" : ""));
      const Json parts =
          Json::array({split({{"Regex", R"([\s.,!?]|'\w*)"}}, behavior, invert),
                       split({{"String", "o"}}, behavior, false), byte_level(true, false)});
      file_["pre_tokenizer"] = sequence(parts);
      expect_equal();
    }
  }
}

TEST_F(OracleComponents, DigitsTogetherAndPrefixSpace) {
  const Json digits = {{"type", "Digits"}, {"individual_digits", false}};
  file_["pre_tokenizer"] = sequence(Json::array({digits, byte_level(true, true)}));
  expect_equal();
}

TEST_F(OracleComponents, IgnoredMerges) {
  file_["model"]["ignore_merges"] = true;
  file_["model"]["merges"].erase(100);
  expect_equal();
}

TEST_F(OracleComponents, AddedTokenFlags) {
  const Json vocab = file_["model"]["vocab"];
  int next = static_cast<int>(vocab.size());
  const auto add = [&](const char* content, std::vector<const char*> flags) {
    Json token = {{"id", vocab.contains(content) ? vocab[content].get<int>() : next++},
                  {"content", content}};
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
      token[flag] = std::find(flags.begin(), flags.end(), std::string(flag)) != flags.end();
    }
    file_["added_tokens"].push_back(token);
  };
  add("don", {"single_word"});
  add("user", {"lstrip", "rstrip", "special"});
  add("<|im_end|>", {"rstrip", "special"});
  add("<|im_end|>\n", {"special"});
  add("a", {"single_word", "lstrip"});
  add("Zürich", {"normalized"});
  add("e\xCC\x81", {"normalized"});
  add("\xF0\x9F\x87\xAA", {"lstrip"});
  file_["normalizer"] = {{"type", "NFC"}};
  expect_equal(CompareSkipping::no);
}

TEST_F(OracleComponents, CharactersWithByteFallback) {
  const fs::path path = data_folder() / "weights/TinyStories-656K/tokenizer.json";
  SIGHTLINE_NEEDS(path);
  file_ = read_json(path);
  fs::remove(folder_.path() / "tokenizer_config.json");  // names tokens of the trained one
  for (int byte = 0; byte < 256; ++byte) {
    file_["model"]["vocab"][fmt::format("<0x{:02X}>", byte)] = 2048 + byte;
  }
  expect_equal(CompareSkipping::no);
  file_["model"]["vocab"].erase("<0x80>");  // some characters can't be written
  expect_equal(CompareSkipping::no);
  file_["model"]["fuse_unk"] = false;
  expect_equal(CompareSkipping::no);
}

// The words that a tokenizer learns, and the order in which it does, are the oracle's.
TEST(OracleTraining, SameMergesAsHuggingFace) {
  const fs::path path = test::oracle_python();
  SIGHTLINE_NEEDS(path);
  const fs::path captions = data_folder() / "text/coco_captions.txt";
  if (!fs::exists(captions)) GTEST_SKIP() << "needs " << captions;
  auto lines = lines_of(captions);
  lines.resize(20000);
  for (auto& text : test::random_texts(2000, 3)) {
    if (text.find_first_of("\n\r") == std::string::npos) lines.push_back(std::move(text));
  }
  const test::TemporaryFolder folder;
  std::ofstream file(folder.path() / "lines.txt", std::ios::binary);
  for (const auto& line : lines) file << line << '\n';
  file.close();
  const fs::path theirs_path = folder.path() / "theirs.json";
  const Json report = oracle("train " + (folder.path() / "lines.txt").string() + " 4000 2 " +
                             theirs_path.string());
  ASSERT_FALSE(report.is_null());
  train_tokenizer(lines, {.vocab_size = 4000}).save(folder.path());
  // Unordered: the files list the same entries in different orders.
  const auto ours = nlohmann::json::parse(read_file(folder.path() / "tokenizer.json"));
  const auto theirs = nlohmann::json::parse(read_file(theirs_path));
  EXPECT_EQ(ours["model"]["merges"], theirs["model"]["merges"]);
  EXPECT_EQ(ours["model"]["vocab"], theirs["model"]["vocab"]);
  expect_hard_texts_equal(folder.path() / "tokenizer.json", CompareSkipping::yes);
}

}  // namespace
}  // namespace sightline
