#pragma once
// Byte-pair encoding of one word: start from its smallest symbols and merge, again and again, the
// adjacent pair of lowest rank, the leftmost of equals. Source: Sennrich et al. 2016
// (arXiv 1508.07909); the treatment of unknown symbols is huggingface/tokenizers' models/bpe.

#include "text/token_ids.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sightline {

struct VocabularyEntry {
  std::string token;
  int32_t id = -1;
};

struct BpeMerge {
  int32_t left = -1;
  int32_t right = -1;
  int32_t merged = -1;
};

// The "model" of a tokenizer.json. A merge's rank is its place; ids of merges are in the
// vocabulary.
struct BpeModel {
  std::vector<VocabularyEntry> vocabulary;  // by ascending id, no id and no token twice
  std::vector<BpeMerge> merges;
  std::optional<int32_t> unknown;  // what a symbol outside the vocabulary becomes
  bool fuse_unknown = false;       // neighbouring unknown symbols become one
  bool byte_fallback = false;      // such a symbol is written as <0x00>..<0xFF> if all are there
  bool ignore_merges = false;      // a word that is in the vocabulary is that token
};

// What the smallest symbols are.
enum class BpeSymbols {
  characters,
  bytes,  // written in the vocabulary in GPT-2's alphabet
};

// Buffers of one thread, kept between words.
struct BpeScratch {
  struct Symbol {
    int32_t id;
    int32_t previous;  // place in the list, -1: none
    int32_t next;
  };
  struct Candidate {
    uint32_t rank;
    int32_t place;  // of the left symbol
    int32_t left;   // the pair's ids when it was found; it is stale once they differ
    int32_t right;
    int32_t merged;
  };
  std::vector<int32_t> ids;
  std::vector<uint32_t> ranks;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
};

// Immutable and thread-safe once made.
class Bpe {
 public:
  // `never_words`: ids that no word may become as a whole (added tokens).
  Bpe(const BpeModel& model, BpeSymbols symbols, const std::vector<int32_t>& never_words);
  Bpe(Bpe&&) = default;  // a copy's words would lie in the original

  // Appends the ids of `word` (valid UTF-8 unless the symbols are bytes). A symbol outside the
  // vocabulary, where the model names no unknown token, gives nothing, as in Hugging Face.
  void encode_word(std::string_view word, std::vector<int32_t>& ids, BpeScratch& scratch) const;

  // The two ways to merge scratch.ids in place, with the same result: by search for the lowest rank
  // (quadratic, fastest for a few symbols) and by heap (n log n).
  void merge_by_search(BpeScratch& scratch) const;
  void merge_by_heap(BpeScratch& scratch) const;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  struct Found {
    uint32_t rank = kNoRank;
    int32_t merged = -1;
  };
  // (left, right) -> rank and merged id; open addressing, at most half full.
  class MergeTable {
   public:
    explicit MergeTable(const std::vector<BpeMerge>& merges);
    Found find(int32_t left, int32_t right) const;

   private:
    struct Slot {
      uint64_t key = UINT64_MAX;
      Found found;
    };
    size_t slot_of(uint64_t key) const;
    std::vector<Slot> slots_;
    int shift_ = 0;
  };
  int32_t symbol_id(char32_t character) const;
  void first_symbols(std::string_view word, std::vector<int32_t>& ids) const;
  bool append_fallback(std::string_view character, std::vector<int32_t>& ids) const;
  void push_candidate(BpeScratch& scratch, int32_t place) const;
  void merge(BpeScratch& scratch) const;
  // What of a vocabulary a word may become as a whole, and how it is written there.
  struct Words {
    std::string letters;  // one word after the other
    std::vector<std::pair<size_t, int32_t>> ends;
  };
  Words words_of(std::span<const VocabularyEntry> vocabulary,
                 const std::vector<int32_t>& never_words, bool always) const;
  void add_words(const std::vector<Words>& parts);

  BpeSymbols symbols_;
  std::optional<int32_t> unknown_;
  bool fuse_unknown_ = false;
  MergeTable merges_;
  std::array<int32_t, 256> first_ids_;  // by byte, or by code point; -1: not in the vocabulary
  std::unordered_map<char32_t, int32_t> other_ids_;  // characters from U+0100
  std::optional<std::array<int32_t, 256>> fallback_ids_;
  // Words that become one token. Most words of plain text are here, so that no word needs a cache
  // that threads would have to share.
  TokenIds words_;
  std::vector<char> letters_;  // of words_
  size_t longest_word_ = 0;
};

}  // namespace sightline
