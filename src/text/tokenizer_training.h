#pragma once
// Training a byte-level BPE tokenizer with GPT-2's words, on one core, with the same result for the
// same text: the most frequent pair is merged first, of equals the one with the lower ids.
// Source: Sennrich et al. 2016 (arXiv 1508.07909); ids and ties as huggingface/tokenizers'
// BpeTrainer: special tokens, then the 256 bytes by their character, then the merges.

#include "text/tokenizer.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sightline {

struct TokenizerTraining {
  // All tokens together: special ones, 256 bytes, merges. Fewer come out when no pair is left that
  // is frequent enough.
  int32_t vocab_size = 8192;
  // Ids 0, 1, ...
  std::vector<std::string> special_tokens = {"<|endoftext|>"};
  // A pair that occurs less often is not merged.
  int64_t min_frequency = 2;
  // Which special tokens begin, end and pad a text; "": none does.
  std::string bos_token = "<|endoftext|>";
  std::string eos_token = "<|endoftext|>";
  std::string pad_token;
};

Tokenizer train_tokenizer(std::span<const std::string> lines, const TokenizerTraining& options);

// Puts the next line into its argument; false: there is none.
using NextLine = std::function<bool(std::string& line)>;
Tokenizer train_tokenizer(const NextLine& next_line, const TokenizerTraining& options);

}  // namespace sightline
