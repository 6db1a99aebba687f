#pragma once
// Text to token ids and back, as the Hugging Face tokenizer of the same tokenizer.json does it.
//
// Kinds: BPE over bytes (GPT-2, SmolLM, Qwen) and over characters (Llama-like: byte fallback, fused
// unknowns). Any other component of the file is an Error that names the file and the component.
//
// Text that is not valid UTF-8 is encoded as if each maximal invalid part were U+FFFD. A character
// that the vocabulary cannot write becomes its unknown token or, where it names none, nothing, as
// in Hugging Face; a tokenizer from train_tokenizer() can write every byte.

#include "text/tokenizer_file.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct EncodeOptions {
  // as_text where people wrote the text: only the unknown token can then come out of it as a
  // special id. Added tokens that are not special are recognised either way.
  SpecialTokens special_tokens = SpecialTokens::parse;
};

enum class DecodeSpecial { keep, skip };

struct DecodeOptions {
  DecodeSpecial special_tokens = DecodeSpecial::keep;
};

// Immutable; copies share their tables; every const function may be called by many threads at once.
class Tokenizer {
 public:
  // `path`: a folder with tokenizer.json, or that file; tokenizer_config.json beside it is read
  // too.
  static Tokenizer load(const std::filesystem::path& path);

  // `source` names the spec in errors.
  Tokenizer(TokenizerSpec spec, std::string_view source);

  // The ids of `text` alone: no begin or end token is added.
  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const;

  // Without cleaning up spaces. An id that names no token (a row that only pads an embedding) gives
  // nothing, as in Hugging Face. `skip` leaves out every special token (tokenizers 0.23 forgets
  // those with "normalized": true if the normalizer changes them).
  std::string decode(std::span<const int32_t> ids, DecodeOptions options = {}) const;

  std::optional<int32_t> token_id(std::string_view token) const;
  // As it stands in the file (bytes in GPT-2's alphabet); "" where the id names no token.
  std::string_view token(int32_t id) const;
  bool is_special(int32_t id) const;

  // The greatest id + 1: what an embedding must hold at least.
  int32_t vocab_size() const;

  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;

  // Writes tokenizer.json and tokenizer_config.json, which Hugging Face loads, into `folder`.
  void save(const std::filesystem::path& folder) const;

  // With `tokens` as special tokens; new ones get the next ids, special ones that are there already
  // keep theirs. A token that is an ordinary word of the vocabulary is an Error: text would make
  // it.
  Tokenizer with_added_tokens(std::span<const std::string> tokens) const;

 private:
  struct Tables;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace sightline
