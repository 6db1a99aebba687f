#include "text/tokenizer.h"

#include "base/error.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_ids.h"
#include "text/utf8.h"

#include <algorithm>
#include <unordered_map>

namespace sightline {

namespace {

std::vector<int32_t> ids_of(const std::vector<AddedToken>& tokens) {
  std::vector<int32_t> ids;
  for (const AddedToken& token : tokens) ids.push_back(token.id);
  return ids;
}

int32_t size_of(const TokenizerSpec& spec) {
  const int32_t ordinary = spec.model.vocabulary.back().id;
  return 1 +
         (spec.added_tokens.empty() ? ordinary : std::max(ordinary, spec.added_tokens.back().id));
}

// What one call to encode() needs.
struct Scratch {
  Words words;
  RegexScratch regex;
  BpeScratch bpe;
};

}  // namespace

struct Tokenizer::Tables {
  TokenizerSpec spec;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Decoder decoder;
  Bpe bpe;
  AddedTokenMatcher raw_tokens;         // looked for in the text as it is given
  AddedTokenMatcher normalized_tokens;  // looked for once it is normalized
  std::vector<std::string> tokens;      // by id; "" where the id names none
  // What decode() reads where an added token was found as something else than its content.
  std::unordered_map<int32_t, std::string> normalized_forms;
  std::vector<bool> special;
  TokenIds ids;
  std::optional<int32_t> bos, eos, pad;

  Tables(TokenizerSpec given, std::string_view source)
      : spec(std::move(given)),
        normalizer(spec.normalizer, source),
        pre_tokenizer(spec.pre_tokenizer, source),
        decoder(spec.decoder, source),
        bpe(spec.model, pre_tokenizer.byte_level() ? BpeSymbols::bytes : BpeSymbols::characters,
            ids_of(spec.added_tokens)) {
    tokens.resize(size_of(spec));
    special.resize(tokens.size());
    for (const auto& entry : spec.model.vocabulary) tokens[entry.id] = entry.token;
    for (const AddedToken& token : spec.added_tokens) {
      tokens[token.id] = token.content;
      special[token.id] = token.special;
      if (token.normalized) {
        const std::string pattern = normalizer.apply(token.content);
        normalized_tokens.add(token, pattern);
        if (pattern != token.content) normalized_forms.emplace(token.id, pattern);
      } else {
        raw_tokens.add(token, token.content);
      }
    }
    ids = TokenIds(tokens.size());
    for (size_t id = 0; id < tokens.size(); ++id) {
      if (!tokens[id].empty()) ids.add(tokens[id], static_cast<int32_t>(id));
    }
    bos = id_of(spec.bos_token);
    eos = id_of(spec.eos_token);
    pad = id_of(spec.pad_token);
  }

  std::optional<int32_t> id_of(const std::optional<std::string>& token) const {
    return token ? ids.find(*token) : std::nullopt;
  }

  void encode_words(std::string_view text, std::vector<int32_t>& out, Scratch& scratch) const {
    pre_tokenizer.split(text, scratch.words, scratch.regex);
    for (const std::string_view word : scratch.words.views) {
      bpe.encode_word(word, out, scratch.bpe);
    }
  }

  void encode_normalized(std::string_view text, SpecialTokens mode, std::vector<int32_t>& out,
                         Scratch& scratch) const {
    for (const auto& segment : normalized_tokens.split(text, mode, scratch.regex)) {
      if (segment.id >= 0) {
        out.push_back(segment.id);
      } else {
        encode_words(segment.text, out, scratch);
      }
    }
  }
};

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  return Tokenizer(read_tokenizer(path), tokenizer_file(path).string());
}

Tokenizer::Tokenizer(TokenizerSpec spec, std::string_view source)
    : tables_(std::make_shared<const Tables>(std::move(spec), source)) {}

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = to_valid_utf8(text);
  const Tables& tables = *tables_;
  const SpecialTokens mode = options.special_tokens;
  Scratch scratch;
  std::vector<int32_t> ids;
  for (const auto& segment : tables.raw_tokens.split(text, mode, scratch.regex)) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
    } else if (tables.normalizer.empty()) {
      tables.encode_normalized(segment.text, mode, ids, scratch);
    } else {
      const std::string normalized = tables.normalizer.apply(segment.text);
      tables.encode_normalized(normalized, mode, ids, scratch);
    }
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, DecodeOptions options) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    if (options.special_tokens == DecodeSpecial::skip && is_special(id)) continue;
    const auto form = tables_->normalized_forms.find(id);
    const auto text = form == tables_->normalized_forms.end() ? token(id) : form->second;
    if (!text.empty()) tokens.emplace_back(text);
  }
  return tables_->decoder.decode(std::move(tokens));
}

std::optional<int32_t> Tokenizer::token_id(std::string_view token) const {
  return tables_->ids.find(token);
}

std::string_view Tokenizer::token(int32_t id) const {
  return id >= 0 && id < vocab_size() ? std::string_view(tables_->tokens[id]) : std::string_view();
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocab_size() && tables_->special[id];
}

int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(tables_->tokens.size()); }

std::optional<int32_t> Tokenizer::bos_id() const { return tables_->bos; }
std::optional<int32_t> Tokenizer::eos_id() const { return tables_->eos; }
std::optional<int32_t> Tokenizer::pad_id() const { return tables_->pad; }

void Tokenizer::save(const std::filesystem::path& folder) const {
  write_tokenizer(folder, tables_->spec);
}

Tokenizer Tokenizer::with_added_tokens(std::span<const std::string> tokens) const {
  TokenizerSpec spec = tables_->spec;
  std::vector<std::string> fresh;
  for (const std::string& token : tokens) {
    check(!token.empty() && is_valid_utf8(token),
          "a token to add is empty or not valid UTF-8: \"{}\"", to_valid_utf8(token));
    if (std::find(fresh.begin(), fresh.end(), token) != fresh.end()) continue;
    const auto known = token_id(token);
    check(!known || is_special(*known),
          "cannot add \"{}\": the vocabulary holds it as an ordinary token (id {}); choose a name "
          "that text does not hold",
          token, known.value_or(-1));
    if (!known) fresh.push_back(token);
  }
  int32_t next = vocab_size();
  for (const std::string& token : fresh) {
    AddedToken added;
    added.id = next++;
    added.content = token;
    added.special = true;
    spec.added_tokens.push_back(std::move(added));
  }
  return Tokenizer(std::move(spec), "tokenizer with added tokens");
}

}  // namespace sightline
