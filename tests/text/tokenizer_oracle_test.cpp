// Encoding and decoding against Hugging Face tokenizers with real tokenizers on real and hard
// texts.

#include "base/file.h"
#include "tests/text/oracle_texts.h"
#include "text/tokenizer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>

#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using test::data_folder;

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

// Every line must have the oracle's ids, and those must decode to the oracle's text.
void expect_equal_to_oracle(const fs::path& tokenizer_json, const fs::path& text) {
  const test::TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  const Json report = test::tokenizer_oracle("encode " + tokenizer_json.string() + " " +
                                             text.string() + " " + out.string());
  ASSERT_FALSE(report.is_null());
  const auto lines = test::lines_of(text);
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
  test::expect_hard_texts_equal(file(),
                                skips ? test::CompareSkipping::yes : test::CompareSkipping::no);
}

TEST_P(OracleTokenizer, SavedFileIsTheSameTokenizer) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> added = {"<image>", "<|new|>"};
  Tokenizer::load(file()).with_added_tokens(added).save(folder.path());
  test::expect_hard_texts_equal(folder.path() / "tokenizer.json", test::CompareSkipping::no);
  const std::string text = "see <image> and<|new|>.";
  const Tokenizer saved = Tokenizer::load(folder.path());
  write_json(folder.path() / "texts.json", Json::array({text}));
  const Json rows = test::tokenizer_oracle("texts " + (folder.path() / "tokenizer.json").string() +
                                           " " + (folder.path() / "texts.json").string());
  ASSERT_EQ(rows.size(), 1);
  const auto ids = saved.encode(text);
  EXPECT_EQ(ids, rows[0]["ids"].get<std::vector<int32_t>>());
  EXPECT_TRUE(std::find(ids.begin(), ids.end(), saved.vocab_size() - 1) != ids.end());
}

INSTANTIATE_TEST_SUITE_P(Oracle, OracleTokenizer,
                         testing::Values("weights/TinyStories-656K", "tokenizers/gpt2",
                                         "tokenizers/smollm"));

}  // namespace
}  // namespace sightline
