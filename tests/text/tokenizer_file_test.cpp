#include "text/tokenizer_file.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"
#include "tests/text/tiny_tokenizer.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// A good file that each test spoils.
class TokenizerFile : public testing::Test {
 protected:
  void SetUp() override {
    test::tiny_tokenizer().save(folder_.path());
    file_ = read_json(json_path());
    config_ = read_json(config_path());
  }
  fs::path json_path() const { return folder_.path() / "tokenizer.json"; }
  fs::path config_path() const { return folder_.path() / "tokenizer_config.json"; }

  std::string file_token(int id) const {
    for (const auto& [token, value] : file_["model"]["vocab"].items()) {
      if (value == id) return token;
    }
    return "";
  }
  std::string error_of_load() const {
    try {
      Tokenizer::load(folder_.path());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  // The error names the file, and `detail`.
  void expect_error(const std::string& detail) const {
    const std::string error = error_of_load();
    EXPECT_THAT(error, AllOf(HasSubstr("tokenizer.json"), HasSubstr(detail)));
    EXPECT_THAT(error, testing::Not(HasSubstr("\n")));
  }
  void spoil(const std::function<void(Json&)>& how, const std::string& detail) const {
    Json spoilt = file_;
    how(spoilt);
    write_json(json_path(), spoilt);
    expect_error(detail);
  }
  void spoil_config(const std::function<void(Json&)>& how, const std::string& detail) const {
    Json spoilt = config_;
    how(spoilt);
    write_json(config_path(), spoilt);
    EXPECT_THAT(error_of_load(), AllOf(HasSubstr("tokenizer_config.json"), HasSubstr(detail)));
  }

  test::TemporaryFolder folder_;
  Json file_;
  Json config_;
};

TEST_F(TokenizerFile, Missing) {
  fs::remove(json_path());
  expect_error("cannot open");
}

TEST_F(TokenizerFile, TruncatedAnywhere) {
  const std::string whole = read_file(json_path());
  for (size_t size = 0; size + 2 < whole.size(); size += 1 + whole.size() / 40) {
    write_file(json_path(), whole.substr(0, size));
    expect_error("not valid JSON at byte");
  }
}

TEST_F(TokenizerFile, WrongShapes) {
  spoil([](Json& f) { f = Json::array({1, 2}); }, "not a JSON object");
  spoil([](Json& f) { f.erase("model"); }, "\"model\" is missing");
  spoil([](Json& f) { f["model"] = "BPE"; }, "\"model\" is missing or not an object");
  spoil([](Json& f) { f["model"].erase("vocab"); }, "\"vocab\" is missing");
  spoil([](Json& f) { f["model"]["vocab"] = Json::array({"a"}); }, "not an object of token: id");
  spoil([](Json& f) { f["model"]["vocab"]["the"] = "7"; }, "the id of \"the\" is \"7\"");
  spoil([](Json& f) { f["model"]["vocab"]["the"] = -7; }, "the id of \"the\" is -7");
  spoil([](Json& f) { f["model"]["vocab"]["the"] = 3000000000; }, "outside");
  spoil([](Json& f) { f["model"]["vocab"][""] = 5000; }, "an empty token");
  spoil([](Json& f) { f["model"].erase("merges"); }, "\"merges\" is missing");
  spoil([](Json& f) { f["model"]["merges"][3] = 5; }, "merge 3 is 5");
  spoil([](Json& f) { f["model"]["merges"][3] = "a b c"; }, "merge 3 is \"a b c\"");
  spoil([](Json& f) { f["model"]["fuse_unk"] = "maybe"; }, "\"fuse_unk\" is \"maybe\"");
  spoil([](Json& f) { f["added_tokens"] = 1; }, "\"added_tokens\" is not an array");
  spoil([](Json& f) { f["added_tokens"][0].erase("content"); }, "\"content\" is missing");
  spoil([](Json& f) { f["added_tokens"][0].erase("id"); }, "the id of \"<|endoftext|>\"");
  spoil([](Json& f) { f["pre_tokenizer"].erase("type"); }, "\"type\" is missing");
  spoil([](Json& f) { f["decoder"] = nullptr; }, "\"decoder\" is null");
}

TEST_F(TokenizerFile, MergesOfUnknownTokens) {
  const auto merge = [](const char* left, const char* right) {
    return [=](Json& f) { f["model"]["merges"][2] = {left, right}; };
  };
  spoil(merge("zz", "a"), "merge 2 (\"zz\" with \"a\") needs the token \"zz\"");
  spoil(merge("a", "zz"), "needs the token \"zz\"");
  spoil(merge("z", "q"), "needs the token \"zq\"");
  spoil([](Json& f) { f["model"]["unk_token"] = "<unk>"; }, "the unk_token \"<unk>\"");
}

TEST_F(TokenizerFile, MergeIntoASpecialToken) {
  const Json added = {{"id", 257}, {"content", file_token(257)}, {"special", true}};
  spoil([&](Json& f) { f["added_tokens"].push_back(added); }, "merge 0 makes the special token");
}

TEST_F(TokenizerFile, RepeatedIdsAndKeys) {
  spoil([](Json& f) { f["model"]["vocab"]["zebra"] = 300; }, "have the same id 300");
  const Json added = {{"id", 300}, {"content", "<image>"}, {"special", true}};
  spoil([&](Json& f) { f["added_tokens"].push_back(added); },
        "the added token \"<image>\" has the id 300 of the token");
  spoil([&](Json& f) { f["added_tokens"].push_back(f["added_tokens"][0]); },
        "two entries of \"added_tokens\" have the id 0");
  spoil([&](Json& f) { f["added_tokens"][0]["id"] = 5000; }, "in the vocabulary it has another");
  const Json twice = {{"id", 5000}, {"content", "<x>"}};
  spoil(
      [&](Json& f) {
        f["added_tokens"].push_back(twice);
        f["added_tokens"].push_back(twice);
        f["added_tokens"].back()["id"] = 5001;
      },
      "\"<x>\" has two ids");
  std::string text = file_.dump();
  text.insert(text.find("\"vocab\":{") + 9, "\"the\":1,");
  write_file(json_path(), text);
  expect_error("the key \"the\" stands twice");
}

TEST_F(TokenizerFile, UnsupportedKinds) {
  const auto type = [](const char* name) { return Json{{"type", name}}; };
  spoil([&](Json& f) { f["normalizer"] = type("Lowercase"); },
        "the normalizer is of the type \"Lowercase\"");
  spoil([&](Json& f) { f["pre_tokenizer"] = type("Metaspace"); },
        "the pre_tokenizer is of the type \"Metaspace\"");
  spoil([&](Json& f) { f["decoder"] = type("WordPiece"); },
        "the decoder is of the type \"WordPiece\"");
  spoil([&](Json& f) { f["model"]["type"] = "Unigram"; }, "the model is of the type \"Unigram\"");
  spoil([&](Json& f) { f["model"]["dropout"] = 0.1; }, "\"dropout\"");
  spoil([&](Json& f) { f["model"]["end_of_word_suffix"] = "</w>"; }, "is \"</w>\"");
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", "(unclosed"}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  spoil([&](Json& f) { f["pre_tokenizer"] = split; }, "the pattern \"(unclosed\" cannot be used");
  const Json parts = Json::array({file_["pre_tokenizer"], file_["pre_tokenizer"]});
  spoil(
      [&](Json& f) {
        f["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", parts}};
      },
      "after ByteLevel");
}

TEST_F(TokenizerFile, Config) {
  spoil_config([](Json& c) { c["eos_token"] = "<eos>"; }, "\"eos_token\" is \"<eos>\"");
  spoil_config([](Json& c) { c["eos_token"] = 5; }, "\"eos_token\" is 5");
  spoil_config([](Json& c) { c["bos_token"] = {{"lstrip", false}}; }, "\"content\" is missing");
  config_["bos_token"] = nullptr;
  config_["eos_token"] = {{"content", "<|endoftext|>"}};
  write_json(config_path(), config_);
  EXPECT_EQ(Tokenizer::load(json_path()).bos_id(), std::nullopt);
  EXPECT_EQ(Tokenizer::load(json_path()).eos_id(), 0);
  fs::remove(config_path());
  EXPECT_EQ(Tokenizer::load(folder_.path()).eos_id(), std::nullopt);
}

}  // namespace
}  // namespace sightline
