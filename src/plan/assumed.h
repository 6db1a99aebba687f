#pragma once
// Data that are not at hand, told by their sizes: what a plan counts with in their place.
//
//   {"web": {"samples": 558128, "images": 1, "turns": 1, "user": 9, "answer": 13}}
//
// stands for [data.web]: `samples` conversations of `turns` questions and answers about `images`
// pictures; `user` tokens of each question, the template's own included; `answer` tokens of each
// answer, its end token included. So a conversation takes images * rows an image + turns * (user +
// answer) rows.

#include "data/dataset.h"
#include "text/prompt.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace sightline {

struct AssumedData {
  int64_t samples = 0;  // must be given
  int64_t images = 1;
  int64_t turns = 1;
  int64_t user = 8;     // at least 3: the template takes two
  int64_t answer = 16;  // at least 2: a word and the end
};

// By the tables' names. An Error names the file, the table and the key.
std::map<std::string, AssumedData> read_assumed(const std::filesystem::path& file);

// Samples of these sizes, their words in letters; and the template whose tokenizer makes each
// letter a token.
std::unique_ptr<Dataset> assumed_dataset(const std::string& name, const AssumedData& data);
PromptTemplate assumed_template();

}  // namespace sightline
