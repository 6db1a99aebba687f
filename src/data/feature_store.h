#pragma once
// Features of pictures on disk, keyed by content: what a frozen vision model makes of an image is
// computed once. A store is a folder of one append-only file of bf16 records of a fixed size and an
// index of content keys; a record counts once its key is written, so a killed fill is resumed where
// it was and a torn record is never read. Bytes only: src/features fills it.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/file.h"

namespace sightline {

class FeatureStore {
 public:
  // Opens or creates `folder` for records of `words` 16-bit words each. A store of another record
  // size, or a broken one, is an Error naming the folder and saying to delete it.
  FeatureStore(std::filesystem::path folder, int64_t words);
  ~FeatureStore();

  int64_t words() const { return words_; }
  size_t size() const { return slots_.size(); }
  bool contains(std::string_view key) const;

  // Appends a record (a key already there is left alone). flush() makes what was appended durable
  // and visible to find().
  void append(std::string_view key, std::span<const uint16_t> record);
  void flush();

  // The record of `key` in the mapped file, or empty. Safe from several threads between flushes.
  std::span<const uint16_t> find(std::string_view key) const;

 private:
  std::filesystem::path folder_;
  int64_t words_;
  std::unordered_map<std::string, uint64_t> slots_;
  uint64_t flushed_ = 0;  // records that are durable
  int data_file_ = -1;
  std::string pending_keys_;
  std::unique_ptr<MappedFile> mapped_;
};

}  // namespace sightline
