#include "data/feature_store.h"

#include "base/error.h"
#include "base/hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace sightline {

namespace {

constexpr const char* kData = "features.bin";
constexpr const char* kIndex = "index";
constexpr const char* kLock = "lock";

constexpr size_t kKeyLength = 32;
constexpr size_t kNumberLength = 16;
constexpr size_t kCheckLength = 16;
constexpr size_t kLineLength = kKeyLength + 1 + kNumberLength + 1 + kCheckLength + 1;

std::string index_line(std::string_view key, uint64_t number) {
  const std::string content = fmt::format("{} {:016x}", key, number);
  return fmt::format("{} {}\n", content, content_key(content).substr(0, kCheckLength));
}

void cut_file(int descriptor, uint64_t size, const std::filesystem::path& path) {
  check(::ftruncate(descriptor, static_cast<off_t>(size)) == 0, "{}: cannot cut: {}", path.string(),
        std::strerror(errno));
}

int open_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check(descriptor >= 0, "{}: cannot open: {}", path.string(), std::strerror(errno));
  return descriptor;
}

}  // namespace

FeatureStore::FeatureStore(std::filesystem::path folder, int64_t words)
    : folder_(std::move(folder)), words_(words) {
  SL_ASSERT(words > 0, "records of {} words", words);
  std::error_code code;
  std::filesystem::create_directories(folder_, code);
  check(!code, "{}: cannot create the folder: {}", folder_.string(), code.message());
  read_index();
  map_records();
}

FeatureStore::~FeatureStore() { close_files(); }

std::string FeatureStore::header() const {
  return fmt::format("sightline features 1, {} words a record\n", words_);
}

// Takes over the records that the index on disk holds beyond those known.
void FeatureStore::read_index() {
  if (!std::filesystem::exists(file(kIndex))) return;
  const std::string index = read_file(file(kIndex));
  const std::string expected = header();
  check(index.starts_with(expected),
        "{}: the feature store is not one of {} words a record (its index begins \"{}\"): delete "
        "the folder, and it is computed anew",
        folder_.string(), words_, index.substr(0, index.find('\n')).substr(0, 80));

  const auto line_at = [&](uint64_t number) {
    return std::string_view(index).substr(
        std::min(index.size(), expected.size() + number * kLineLength), kLineLength);
  };
  uint64_t number = slots_.size();
  for (; line_at(number).size() == kLineLength; ++number) {
    const std::string_view line = line_at(number);
    const std::string_view key = line.substr(0, kKeyLength);
    if (line != index_line(key, number)) break;
    const bool is_new = slots_.emplace(key, number).second;
    check(is_new, "{}: the feature store holds the key {} twice: delete the folder",
          folder_.string(), key);
  }

  std::error_code code;
  const uint64_t size = std::filesystem::file_size(file(kData), code);
  check((!code && size >= number * record_bytes()) || number == 0,
        "{}: the feature store is broken ({} holds fewer than its {} records): delete the folder, "
        "and it is computed anew",
        folder_.string(), kData, number);
  flushed_ = number;
}

void FeatureStore::map_records() {
  mapped_.reset();
  if (flushed_ > 0) mapped_ = std::make_unique<MappedFile>(file(kData));
}

void FeatureStore::open_for_writing(IfLocked if_locked) {
  lock_file_ = open_file(file(kLock));
  const int now_or_never = if_locked == IfLocked::fail ? LOCK_NB : 0;
  int locked = 0;
  do {
    locked = ::flock(lock_file_, LOCK_EX | now_or_never);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0) {
    const int why = errno;
    close_files();
    check(why == EWOULDBLOCK, "{}: cannot lock the feature store: {}", folder_.string(),
          std::strerror(why));
    fail("{}: another process is filling this feature store: wait until it is done",
         folder_.string());
  }
  if (!std::filesystem::exists(file(kIndex))) write_file(file(kIndex), header());
  read_index();
  data_file_ = open_file(file(kData));
  index_file_ = open_file(file(kIndex));
  cut_file(data_file_, flushed_ * record_bytes(), file(kData));
  cut_file(index_file_, header().size() + flushed_ * kLineLength, file(kIndex));
  map_records();
}

void FeatureStore::close_files() {
  for (int* descriptor : {&data_file_, &index_file_, &lock_file_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
}

bool FeatureStore::contains(std::string_view key) const { return slots_.find(key) != slots_.end(); }

bool FeatureStore::is_among_first(size_t count, std::string_view key) const {
  const auto found = slots_.find(key);
  return found != slots_.end() && found->second < count;
}

void FeatureStore::append(std::string_view key, std::span<const uint16_t> record) {
  SL_ASSERT(key.size() == kKeyLength, "\"{}\" is not a content key", key);
  SL_ASSERT(static_cast<int64_t>(record.size()) == words_, "a record of {} words in a store of {}",
            record.size(), words_);
  if (lock_file_ < 0) open_for_writing(IfLocked::fail);
  if (contains(key)) return;
  const uint64_t number = slots_.size();
  write_at(data_file_, {reinterpret_cast<const char*>(record.data()), record.size_bytes()},
           number * record_bytes(), kData);
  pending_keys_ += index_line(key, number);
  slots_.emplace(key, number);
}

// The order makes a kill at any point harmless: records are durable before a key names them.
void FeatureStore::flush() {
  if (pending_keys_.empty()) return;
  sync(data_file_, kData);
  write_at(index_file_, pending_keys_, header().size() + flushed_ * kLineLength, kIndex);
  sync(index_file_, kIndex);
  pending_keys_.clear();
  flushed_ = slots_.size();
  map_records();
}

void FeatureStore::take_turn() {
  if (lock_file_ < 0) open_for_writing(IfLocked::wait);
}

void FeatureStore::finish() {
  flush();
  close_files();
}

std::span<const uint16_t> FeatureStore::find(std::string_view key) const {
  const auto found = slots_.find(key);
  if (found == slots_.end() || found->second >= flushed_) return {};
  const std::byte* record = mapped_->bytes().data() + found->second * record_bytes();
  return {reinterpret_cast<const uint16_t*>(record), static_cast<size_t>(words_)};
}

void FeatureStore::write_at(int descriptor, std::string_view bytes, uint64_t offset,
                            const char* name) const {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0, "{}: cannot write: {}", file(name).string(), std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

void FeatureStore::sync(int descriptor, const char* name) const {
  check(::fdatasync(descriptor) == 0, "{}: cannot sync: {}", file(name).string(),
        std::strerror(errno));
}

}  // namespace sightline
