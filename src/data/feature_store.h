#pragma once
// Features of pictures on disk, keyed by content: what a frozen vision model makes of an image is
// computed once. A store is a folder of one append-only file of bf16 records of a fixed size and an
// index of content keys; a record counts once its key is written, so a killed fill is resumed where
// it was and a torn record is never read. Bytes only: src/features fills it.
//
//   features.bin   record i at byte i * 2 * words, in the machine's byte order
//   index          a header line, then one line of fixed length a record: key, its number, a check
//                  over both. What follows the first line that is torn or wrong does not count and
//                  is overwritten by the next writer
//   lock           held by the process that fills the store; readers need no lock

#include "base/file.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sightline {

class FeatureStore {
 public:
  // Opens or creates `folder` for records of `words` 16-bit words each. A store of another record
  // size, or a broken one, is an Error naming the folder and saying to delete it.
  FeatureStore(std::filesystem::path folder, int64_t words);
  // What was appended but not flushed is dropped.
  ~FeatureStore();
  FeatureStore(const FeatureStore&) = delete;
  FeatureStore& operator=(const FeatureStore&) = delete;

  int64_t words() const { return words_; }
  // Records, those included that are appended but not flushed.
  size_t size() const { return slots_.size(); }
  bool contains(std::string_view key) const;
  // Whether it is one of the first `count` records, whatever was added since.
  bool is_among_first(size_t count, std::string_view key) const;

  // Appends a record (a key already there is left alone); `key` is a content_key(). The first
  // append takes the store's lock and reads what another process has added meanwhile; while another
  // process holds the lock it is an Error. flush() makes what was appended durable and visible to
  // find(). After an Error here or in flush() open the store anew.
  void append(std::string_view key, std::span<const uint16_t> record);
  void flush();
  // Waits for the lock, where several processes fill the store in turns, and takes it.
  void take_turn();
  // flush(), then gives the lock back for others to fill.
  void finish();

  // The record of `key` in the mapped file, or empty. Safe from several threads between flushes,
  // which end the records' life.
  std::span<const uint16_t> find(std::string_view key) const;

 private:
  struct KeyHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Slots = std::unordered_map<std::string, uint64_t, KeyHash, std::equal_to<>>;

  std::filesystem::path file(const char* name) const { return folder_ / name; }
  std::string header() const;
  uint64_t record_bytes() const { return static_cast<uint64_t>(words_) * sizeof(uint16_t); }
  void read_index();
  void map_records();
  enum class IfLocked { fail, wait };
  void open_for_writing(IfLocked if_locked);
  void close_files();
  void write_at(int descriptor, std::string_view bytes, uint64_t offset, const char* name) const;
  void sync(int descriptor, const char* name) const;

  std::filesystem::path folder_;
  int64_t words_;
  Slots slots_;
  uint64_t flushed_ = 0;                                   // records that are durable
  int lock_file_ = -1, data_file_ = -1, index_file_ = -1;  // open while this process fills
  std::string pending_keys_;                               // index lines of unflushed records
  std::unique_ptr<MappedFile> mapped_;
};

}  // namespace sightline
