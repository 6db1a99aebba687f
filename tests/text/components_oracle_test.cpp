// Kinds of tokenizer.json that the real ones at hand lack, and training, against Hugging Face
// tokenizers.

#include "base/file.h"
#include "tests/text/oracle_texts.h"
#include "text/tokenizer.h"
#include "text/tokenizer_training.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using test::data_folder;

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
  void expect_equal(test::CompareSkipping skipping = test::CompareSkipping::yes) {
    write_json(json_path(), file_);
    test::expect_hard_texts_equal(json_path(), skipping);
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
  add("[PAD]", {"lstrip", "rstrip", "special"});
  add("<|im_end|>", {"rstrip", "special"});
  add("<|im_end|>\n", {"special"});
  add("a", {"single_word", "lstrip"});
  add("Zürich", {"normalized"});
  add("e\xCC\x81", {"normalized"});
  add("\xF0\x9F\x87\xAA", {"lstrip"});
  file_["normalizer"] = {{"type", "NFC"}};
  expect_equal(test::CompareSkipping::no);
}

TEST_F(OracleComponents, CharactersWithByteFallback) {
  const fs::path path = data_folder() / "weights/TinyStories-656K/tokenizer.json";
  SIGHTLINE_NEEDS(path);
  file_ = read_json(path);
  fs::remove(folder_.path() / "tokenizer_config.json");  // names tokens of the trained one
  for (int byte = 0; byte < 256; ++byte) {
    file_["model"]["vocab"][fmt::format("<0x{:02X}>", byte)] = 2048 + byte;
  }
  expect_equal(test::CompareSkipping::no);
  file_["model"]["vocab"].erase("<0x80>");  // some characters can't be written
  expect_equal(test::CompareSkipping::no);
  file_["model"]["fuse_unk"] = false;
  expect_equal(test::CompareSkipping::no);
}

// The words that a tokenizer learns, and the order in which it does, are the oracle's.
TEST(OracleTraining, SameMergesAsHuggingFace) {
  const fs::path path = test::oracle_python();
  SIGHTLINE_NEEDS(path);
  const fs::path captions = data_folder() / "text/coco_captions.txt";
  if (!fs::exists(captions)) GTEST_SKIP() << "needs " << captions;
  auto lines = test::lines_of(captions);
  lines.resize(20000);
  for (auto& text : test::random_texts(2000, 3)) {
    if (text.find_first_of("\n\r") == std::string::npos) lines.push_back(std::move(text));
  }
  const test::TemporaryFolder folder;
  std::ofstream file(folder.path() / "lines.txt", std::ios::binary);
  for (const auto& line : lines) file << line << '\n';
  file.close();
  const fs::path theirs_path = folder.path() / "theirs.json";
  const Json report = test::tokenizer_oracle("train " + (folder.path() / "lines.txt").string() +
                                             " 4000 2 " + theirs_path.string());
  ASSERT_FALSE(report.is_null());
  train_tokenizer(lines, {.vocab_size = 4000}).save(folder.path());
  // Unordered: the files list the same entries in different orders.
  const auto ours = nlohmann::json::parse(read_file(folder.path() / "tokenizer.json"));
  const auto theirs = nlohmann::json::parse(read_file(theirs_path));
  EXPECT_EQ(ours["model"]["merges"], theirs["model"]["merges"]);
  EXPECT_EQ(ours["model"]["vocab"], theirs["model"]["vocab"]);
  test::expect_hard_texts_equal(folder.path() / "tokenizer.json", test::CompareSkipping::yes);
}

}  // namespace
}  // namespace sightline
