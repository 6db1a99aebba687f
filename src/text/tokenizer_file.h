#pragma once
// tokenizer.json and tokenizer_config.json of Hugging Face tokenizers as plain data, checked.

#include "base/json.h"
#include "text/added_tokens.h"
#include "text/bpe.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct TokenizerSpec {
  BpeModel model;
  std::vector<AddedToken> added_tokens;  // by ascending id
  Json normalizer;                       // components as they stand in the file, null: none
  Json pre_tokenizer;
  Json decoder;
  Json post_processor;  // kept for others: Sightline adds no token by itself
  // From tokenizer_config.json; each is a token of the file.
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> pad_token;
  Json chat_template;  // kept for others
};

// `path` is a folder with tokenizer.json or the file itself; tokenizer_config.json beside it is
// read where it is present. "truncation" and "padding" are not read. Anything malformed or
// unsupported is an Error that names the file and the entry.
TokenizerSpec read_tokenizer(const std::filesystem::path& path);

// Writes both files into `folder`, which is made if need be. The same spec gives the same bytes.
void write_tokenizer(const std::filesystem::path& folder, const TokenizerSpec& spec);

// The file that read_tokenizer reads for `path`.
std::filesystem::path tokenizer_file(const std::filesystem::path& path);

}  // namespace sightline
