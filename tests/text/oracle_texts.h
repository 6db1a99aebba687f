#pragma once
// Comparisons with what tools/oracle_tokenizer.py says.

#include "base/json.h"
#include "tests/support.h"
#include "tests/text/hard_texts.h"
#include "text/tokenizer.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sightline::test {

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

inline Json tokenizer_oracle(const std::string& arguments) {
  const auto result = run_oracle("tokenizer", arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  if (result.exit_code != 0) return nullptr;
  return parse_json(result.output, "the oracle's output");
}

enum class CompareSkipping { yes, no };

inline void expect_hard_texts_equal(const std::filesystem::path& tokenizer_json,
                                    CompareSkipping skipping) {
  auto texts = hard_texts();
  for (auto& text : random_texts(2000, 1)) texts.push_back(std::move(text));
  const TemporaryFolder folder;
  const std::filesystem::path list = folder.path() / "texts.json";
  write_json(list, Json(texts));
  const Json rows = tokenizer_oracle("texts " + tokenizer_json.string() + " " + list.string());
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

}  // namespace sightline::test
