#include "text/tokenizer_training.h"

#include "base/error.h"
#include "text/byte_level.h"
#include "text/pre_tokenizer.h"
#include "text/utf8.h"

#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace sightline {

namespace {

const char* const kSource = "tokenizer training";

Json byte_level_component() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", true}};
}

struct Word {
  std::vector<int32_t> ids;
  int64_t count = 0;
};

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Distinct words, in the order in which they first occur, with how often they do.
class WordCounts {
 public:
  void add_line(std::string_view line) {
    const std::string repaired = is_valid_utf8(line) ? std::string() : to_valid_utf8(line);
    splitter_.split(repaired.empty() ? line : repaired, words_, regex_);
    for (const std::string_view word : words_.views) {
      auto found = places_.find(word);
      if (found == places_.end()) {
        found = places_.emplace(word, counts_.size()).first;
        counts_.emplace_back(&found->first, 0);
      }
      ++counts_[found->second].second;
    }
  }

  const std::vector<std::pair<const std::string*, int64_t>>& counts() const { return counts_; }

 private:
  PreTokenizer splitter_{byte_level_component(), kSource};
  Words words_;
  RegexScratch regex_;
  std::unordered_map<std::string, size_t, StringHash, std::equal_to<>> places_;
  std::vector<std::pair<const std::string*, int64_t>> counts_;
};

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

struct Pair {
  int64_t count = 0;
  std::vector<uint32_t> words;  // that hold it, or held it; some perhaps twice
};

struct Candidate {
  int64_t count;
  uint64_t key;
};

// For std::priority_queue, which gives the greatest: highest count, then lowest ids.
struct Worse {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.count != b.count ? a.count < b.count : a.key > b.key;
  }
};

// Counts of adjacent pairs, kept exact while words are merged. The heap may hold stale counts: a
// candidate is believed only if its count is still the pair's.
class PairCounts {
 public:
  explicit PairCounts(std::vector<Word> words) : words_(std::move(words)) {
    for (uint32_t w = 0; w < words_.size(); ++w) {
      const auto& ids = words_[w].ids;
      for (size_t i = 0; i + 1 < ids.size(); ++i) change(pair_key(ids[i], ids[i + 1]), 1, w);
    }
    push_changed();
  }

  // The pair to merge next; nothing when none occurs `least` times.
  std::optional<uint64_t> best(int64_t least) {
    while (!heap_.empty()) {
      const Candidate top = heap_.top();
      heap_.pop();
      const auto pair = pairs_.find(top.key);
      const int64_t count = pair == pairs_.end() ? 0 : pair->second.count;
      if (count == top.count) return count >= least ? std::optional(top.key) : std::nullopt;
      if (count > 0 && count < top.count) heap_.push({count, top.key});
    }
    return std::nullopt;
  }

  void merge(uint64_t key, int32_t merged) {
    std::vector<uint32_t> places = std::move(pairs_.at(key).words);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (const uint32_t w : places) merge_in_word(w, key, merged);
    pairs_.erase(key);
    changed_.erase(key);
    push_changed();
  }

 private:
  void change(uint64_t key, int sign, uint32_t word) {
    Pair& pair = pairs_[key];
    pair.count += sign * words_[word].count;
    if (sign > 0) {
      if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
      changed_.insert(key);
    }
  }

  void merge_in_word(uint32_t w, uint64_t key, int32_t merged) {
    auto& ids = words_[w].ids;
    const auto left = static_cast<int32_t>(key >> 32);
    const auto right = static_cast<int32_t>(key & 0xFFFFFFFF);
    size_t kept = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (i + 1 == ids.size() || ids[i] != left || ids[i + 1] != right) {
        ids[kept++] = ids[i];
        continue;
      }
      if (kept > 0) {
        change(pair_key(ids[kept - 1], left), -1, w);
        change(pair_key(ids[kept - 1], merged), 1, w);
      }
      if (i + 2 < ids.size()) {
        change(pair_key(right, ids[i + 2]), -1, w);
        change(pair_key(merged, ids[i + 2]), 1, w);
      }
      ids[kept++] = merged;
      ++i;
    }
    ids.resize(kept);
  }

  void push_changed() {
    for (const uint64_t key : changed_) {
      const int64_t count = pairs_.at(key).count;
      if (count > 0) heap_.push({count, key});
    }
    changed_.clear();
  }

  std::vector<Word> words_;
  std::unordered_map<uint64_t, Pair> pairs_;
  std::unordered_set<uint64_t> changed_;  // gained occurrences since the last push
  std::priority_queue<Candidate, std::vector<Candidate>, Worse> heap_;
};

// The vocabulary as it grows.
class Vocabulary {
 public:
  // The id of `token`, which is new if need be.
  int32_t add(const std::string& token) {
    const auto [place, fresh] = ids_.try_emplace(token, size());
    if (fresh) tokens_.push_back(token);
    return place->second;
  }
  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  const std::string& token(int32_t id) const { return tokens_[id]; }

  std::vector<VocabularyEntry> entries() const {
    std::vector<VocabularyEntry> result;
    for (int32_t id = 0; id < size(); ++id) result.push_back({tokens_[id], id});
    return result;
  }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
};

void check_options(const TokenizerTraining& options) {
  std::unordered_set<std::string> names;
  for (const auto& token : options.special_tokens) {
    check(!token.empty() && is_valid_utf8(token), "{}: a special token is empty or not UTF-8",
          kSource);
    check(names.insert(token).second, "{}: the special token \"{}\" is named twice", kSource,
          token);
  }
  for (const auto& token : {options.bos_token, options.eos_token, options.pad_token}) {
    check(token.empty() || names.contains(token),
          "{}: \"{}\" is to begin, end or pad a text, but is not among the special tokens", kSource,
          token);
  }
  const auto least = static_cast<int64_t>(256 + names.size());
  check(
      options.vocab_size >= least,
      "{}: a vocabulary of {} cannot hold the 256 bytes and {} special tokens; ask for {} or more",
      kSource, options.vocab_size, names.size(), least);
}

TokenizerSpec empty_spec(const TokenizerTraining& options) {
  TokenizerSpec spec;
  spec.pre_tokenizer = spec.decoder = byte_level_component();
  for (size_t i = 0; i < options.special_tokens.size(); ++i) {
    AddedToken token;
    token.id = static_cast<int32_t>(i);
    token.content = options.special_tokens[i];
    token.special = true;
    spec.added_tokens.push_back(std::move(token));
  }
  const auto named = [](const std::string& name) {
    return name.empty() ? std::nullopt : std::optional(name);
  };
  spec.bos_token = named(options.bos_token);
  spec.eos_token = named(options.eos_token);
  spec.pad_token = named(options.pad_token);
  return spec;
}

std::vector<Word> words_of(const WordCounts& counts, const std::array<int32_t, 256>& byte_ids) {
  std::vector<Word> words;
  for (const auto& [text, count] : counts.counts()) {
    Word word;
    word.count = count;
    for (const char byte : *text) word.ids.push_back(byte_ids[static_cast<uint8_t>(byte)]);
    words.push_back(std::move(word));
  }
  return words;
}

// Text must not be able to make a special token.
void check_ordinary(int32_t id, const TokenizerTraining& options) {
  if (id >= static_cast<int32_t>(options.special_tokens.size())) return;
  fail(
      "{}: the special token \"{}\" is also what ordinary text gives; choose a name that text does "
      "not hold, such as \"<|{}|>\"",
      kSource, options.special_tokens[id], options.special_tokens[id]);
}

TokenizerSpec learn(const WordCounts& counts, const TokenizerTraining& options) {
  TokenizerSpec spec = empty_spec(options);
  Vocabulary vocabulary;
  for (const auto& token : options.special_tokens) vocabulary.add(token);
  std::vector<std::string> alphabet(byte_characters().begin(), byte_characters().end());
  std::sort(alphabet.begin(), alphabet.end());  // as UTF-8, so by code point
  for (const auto& character : alphabet) vocabulary.add(character);
  std::array<int32_t, 256> byte_ids;
  for (int byte = 0; byte < 256; ++byte) byte_ids[byte] = vocabulary.add(byte_characters()[byte]);
  for (const int32_t id : byte_ids) check_ordinary(id, options);

  PairCounts pairs(words_of(counts, byte_ids));
  while (vocabulary.size() < options.vocab_size) {
    const auto key = pairs.best(std::max<int64_t>(1, options.min_frequency));
    if (!key) break;
    const auto left = static_cast<int32_t>(*key >> 32);
    const auto right = static_cast<int32_t>(*key & 0xFFFFFFFF);
    const int32_t merged = vocabulary.add(vocabulary.token(left) + vocabulary.token(right));
    check_ordinary(merged, options);
    spec.model.merges.push_back({left, right, merged});
    pairs.merge(*key, merged);
  }
  spec.model.vocabulary = vocabulary.entries();
  return spec;
}

}  // namespace

Tokenizer train_tokenizer(const NextLine& next_line, const TokenizerTraining& options) {
  check_options(options);
  WordCounts counts;
  for (std::string line; next_line(line);) counts.add_line(line);
  return Tokenizer(learn(counts, options), kSource);
}

Tokenizer train_tokenizer(std::span<const std::string> lines, const TokenizerTraining& options) {
  size_t next = 0;
  return train_tokenizer(
      [&](std::string& line) {
        if (next == lines.size()) return false;
        line = lines[next++];
        return true;
      },
      options);
}

}  // namespace sightline
