#include "text/bpe.h"

#include "text/byte_level.h"
#include "text/utf8.h"

#include <algorithm>
#include <bit>
#include <thread>
#include <unordered_set>

#include <fmt/format.h>

namespace sightline {

namespace {

// Up to here a search beats the heap (measured on English words and captions).
constexpr size_t kMostSymbolsToSearch = 32;

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

// The only character of `text`, if it is just one.
std::optional<char32_t> single_character(std::string_view text) {
  const CodePoint point = code_point_at(text, 0);
  if (!point.valid || point.length != text.size()) return std::nullopt;
  return point.value;
}

// The ids of "<0x00>" to "<0xFF>", -1 where the vocabulary lacks one.
std::array<int32_t, 256> byte_ids(const std::vector<VocabularyEntry>& vocabulary) {
  std::unordered_map<std::string, uint8_t> bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes.emplace(fmt::format("<0x{:02X}>", byte), static_cast<uint8_t>(byte));
  }
  std::array<int32_t, 256> ids;
  ids.fill(-1);
  for (const VocabularyEntry& entry : vocabulary) {
    if (const auto found = bytes.find(entry.token); found != bytes.end()) {
      ids[found->second] = entry.id;
    }
  }
  return ids;
}

}  // namespace

Bpe::MergeTable::MergeTable(const std::vector<BpeMerge>& merges) {
  const size_t size = std::bit_ceil(merges.size() * 2 + 2);
  slots_.resize(size);
  shift_ = 64 - std::countr_zero(size);
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const uint64_t key = pair_key(merges[rank].left, merges[rank].right);
    // A pair named twice has its last rank, as in Hugging Face.
    slots_[slot_of(key)] = {key, {static_cast<uint32_t>(rank), merges[rank].merged}};
  }
}

size_t Bpe::MergeTable::slot_of(uint64_t key) const {
  size_t slot = (key * 0x9E3779B97F4A7C15ULL) >> shift_;
  while (slots_[slot].key != key && slots_[slot].key != UINT64_MAX) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

Bpe::Found Bpe::MergeTable::find(int32_t left, int32_t right) const {
  return slots_[slot_of(pair_key(left, right))].found;
}

Bpe::Bpe(const BpeModel& model, BpeSymbols symbols, const std::vector<int32_t>& never_words)
    : symbols_(symbols),
      unknown_(model.unknown),
      fuse_unknown_(model.fuse_unknown),
      merges_(model.merges) {
  first_ids_.fill(-1);
  for (const VocabularyEntry& entry : model.vocabulary) {
    const auto character = single_character(entry.token);
    if (!character) continue;
    if (symbols == BpeSymbols::bytes) {
      if (const auto byte = byte_of_character(*character)) first_ids_[*byte] = entry.id;
    } else if (*character < first_ids_.size()) {
      first_ids_[*character] = entry.id;
    } else {
      other_ids_[*character] = entry.id;
    }
  }
  if (model.byte_fallback) fallback_ids_ = byte_ids(model.vocabulary);
  // Which words are tokens is found by merging each: half of them on another thread.
  const std::span<const VocabularyEntry> all(model.vocabulary);
  const size_t half = all.size() / 2;
  std::vector<Words> parts(2);
  {
    const std::jthread other(
        [&] { parts[1] = words_of(all.subspan(half), never_words, model.ignore_merges); });
    parts[0] = words_of(all.first(half), never_words, model.ignore_merges);
  }
  add_words(parts);
}

Bpe::Words Bpe::words_of(std::span<const VocabularyEntry> vocabulary,
                         const std::vector<int32_t>& never_words, bool always) const {
  const std::unordered_set<int32_t> never(never_words.begin(), never_words.end());
  BpeScratch scratch;
  Words words;
  for (const VocabularyEntry& entry : vocabulary) {
    if (never.contains(entry.id)) continue;
    const auto word = symbols_ == BpeSymbols::bytes ? characters_to_bytes(entry.token)
                                                    : std::optional(entry.token);
    if (!word) continue;
    if (!always) {
      scratch.ids.clear();
      first_symbols(*word, scratch.ids);
      merge(scratch);
      if (scratch.ids.size() != 1 || scratch.ids.front() != entry.id) continue;
    }
    words.letters += *word;
    words.ends.emplace_back(words.letters.size(), entry.id);
  }
  return words;
}

void Bpe::add_words(const std::vector<Words>& parts) {
  size_t count = 0;
  for (const Words& part : parts) {
    count += part.ends.size();
    letters_.insert(letters_.end(), part.letters.begin(), part.letters.end());
  }
  words_ = TokenIds(count);
  const char* first = letters_.data();
  for (const Words& part : parts) {
    size_t begin = 0;
    for (const auto& [end, id] : part.ends) {
      words_.add({first + begin, end - begin}, id);
      longest_word_ = std::max(longest_word_, end - begin);
      begin = end;
    }
    first += part.letters.size();
  }
}

int32_t Bpe::symbol_id(char32_t character) const {
  if (character < first_ids_.size()) return first_ids_[character];
  const auto found = other_ids_.find(character);
  return found == other_ids_.end() ? -1 : found->second;
}

bool Bpe::append_fallback(std::string_view character, std::vector<int32_t>& ids) const {
  if (!fallback_ids_) return false;
  const auto id_of = [&](char byte) { return (*fallback_ids_)[static_cast<uint8_t>(byte)]; };
  if (std::any_of(character.begin(), character.end(), [&](char b) { return id_of(b) < 0; })) {
    return false;
  }
  for (const char byte : character) ids.push_back(id_of(byte));
  return true;
}

void Bpe::first_symbols(std::string_view word, std::vector<int32_t>& ids) const {
  bool unknown_waits = false;  // a fused unknown is put when a known symbol follows
  for (size_t at = 0; at < word.size();) {
    const bool bytes = symbols_ == BpeSymbols::bytes;
    const CodePoint point =
        bytes ? CodePoint{static_cast<uint8_t>(word[at]), 1, true} : code_point_at(word, at);
    const std::string_view symbol = word.substr(at, point.length);
    at += point.length;
    const int32_t id = symbol_id(point.value);
    if (id >= 0) {
      if (unknown_waits) ids.push_back(*unknown_);
      unknown_waits = false;
      ids.push_back(id);
    } else if (!append_fallback(symbol, ids) && unknown_) {
      if (unknown_waits && !fuse_unknown_) ids.push_back(*unknown_);
      unknown_waits = true;
    }
  }
  if (unknown_waits) ids.push_back(*unknown_);
}

void Bpe::merge_by_search(BpeScratch& scratch) const {
  auto& ids = scratch.ids;
  auto& ranks = scratch.ranks;  // of each symbol with the one after it
  const auto rank_at = [&](size_t i) {
    return i + 1 < ids.size() ? merges_.find(ids[i], ids[i + 1]).rank : kNoRank;
  };
  ranks.resize(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) ranks[i] = rank_at(i);
  while (!ids.empty()) {
    const auto lowest = std::min_element(ranks.begin(), ranks.end());
    if (*lowest == kNoRank) return;
    const auto at = lowest - ranks.begin();
    ids[at] = merges_.find(ids[at], ids[at + 1]).merged;
    ids.erase(ids.begin() + at + 1);
    ranks.erase(ranks.begin() + at + 1);
    ranks[at] = rank_at(at);
    if (at > 0) ranks[at - 1] = rank_at(at - 1);
  }
}

namespace {

// For std heap functions, which put the greatest first: the lowest rank, then the leftmost.
bool comes_later(const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.place > b.place;
}

}  // namespace

void Bpe::push_candidate(BpeScratch& scratch, int32_t place) const {
  if (place < 0 || scratch.symbols[place].next < 0) return;
  const int32_t left = scratch.symbols[place].id;
  const int32_t right = scratch.symbols[scratch.symbols[place].next].id;
  const Found found = merges_.find(left, right);
  if (found.rank == kNoRank) return;
  scratch.heap.push_back({found.rank, place, left, right, found.merged});
  std::push_heap(scratch.heap.begin(), scratch.heap.end(), comes_later);
}

void Bpe::merge_by_heap(BpeScratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  symbols.clear();
  heap.clear();
  const auto count = static_cast<int32_t>(scratch.ids.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols.push_back({scratch.ids[i], i - 1, i + 1 < count ? i + 1 : -1});
  }
  for (int32_t i = 0; i < count; ++i) push_candidate(scratch, i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    const BpeScratch::Candidate best = heap.back();
    heap.pop_back();
    BpeScratch::Symbol& left = symbols[best.place];
    // A symbol merged away has id -1.
    if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;
    BpeScratch::Symbol& right = symbols[left.next];
    left.id = best.merged;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = best.place;
    push_candidate(scratch, left.previous);
    push_candidate(scratch, best.place);
  }
  scratch.ids.clear();
  for (int32_t i = 0; i >= 0 && count > 0; i = symbols[i].next)
    scratch.ids.push_back(symbols[i].id);
}

void Bpe::merge(BpeScratch& scratch) const {
  if (scratch.ids.size() <= kMostSymbolsToSearch) {
    merge_by_search(scratch);
  } else {
    merge_by_heap(scratch);
  }
}

void Bpe::encode_word(std::string_view word, std::vector<int32_t>& ids, BpeScratch& scratch) const {
  if (word.size() <= longest_word_) {
    if (const auto found = words_.find(word)) {
      ids.push_back(*found);
      return;
    }
  }
  scratch.ids.clear();
  first_symbols(word, scratch.ids);
  merge(scratch);
  ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

}  // namespace sightline
