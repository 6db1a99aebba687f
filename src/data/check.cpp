#include "data/check.h"

#include "base/error.h"
#include "base/hash.h"
#include "data/loader.h"
#include "data/worker_pool.h"
#include "image/decode.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <future>
#include <mutex>
#include <span>
#include <unordered_map>

namespace sightline {

namespace {

constexpr size_t kSamplesPerJob = 8;
constexpr size_t kJobsPerWorker = 8;  // in flight

// Key of the picture's pixels. An unreadable one is an Error.
std::string pixels_key(const ImageSource& source) {
  const std::string bytes = read_image_bytes(source);
  const Image image = decode_image(std::as_bytes(std::span(bytes)), source.name());
  return content_key(fmt::format("{}x{} ", image.width, image.height) +
                     content_key(std::as_bytes(std::span(image.rgb))));
}

// Decodes each file once, whichever of the samples that show it comes first.
class PictureKeys {
 public:
  std::string of(const ImageSource& source) {
    if (source.encoded) return pixels_key(source);
    const std::string name = source.name();
    std::promise<std::string> mine;
    std::shared_future<std::string> key;
    bool is_new = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = keys_.find(name);
      is_new = found == keys_.end();
      key = is_new ? mine.get_future().share() : found->second;
      if (is_new) keys_.emplace(name, key);
    }
    if (is_new) {
      try {
        mine.set_value(pixels_key(source));
      } catch (...) {
        mine.set_exception(std::current_exception());
      }
    }
    return key.get();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_future<std::string>> keys_;
};

struct SampleCheck {
  std::string problem;
  std::vector<int64_t> lengths;  // rows of each conversation
  int64_t rows = 0, supervised = 0;
  std::vector<std::pair<std::string, std::string>> pictures;  // key, name
};

void count_words(const Example& example, const CheckOptions& options, SampleCheck& result) {
  const Sample sample = options.encoder->encode(example);
  for (const Rows& rows : sample.conversations) {
    result.lengths.push_back(static_cast<int64_t>(rows.tokens.size()));
    result.supervised += std::count(rows.supervised.begin(), rows.supervised.end(), 1);
  }
  result.rows = rows_within(options.bounds, sample, options.compose);
}

SampleCheck check_sample(const Dataset& dataset, size_t number, const CheckOptions& options,
                         PictureKeys& keys) {
  SampleCheck result;
  try {
    const Example example = dataset.example(number);
    if (options.encoder != nullptr) count_words(example, options, result);
    for (const ImageSource& image : example.images) {
      try {
        // A generated picture is known by its example.
        result.pictures.emplace_back(keys.of(image), image.encoded ? example.where : image.name());
      } catch (const Error& error) {
        fail("{}: {}", example.where, error.what());
      }
    }
  } catch (const Error& error) {
    result = {.problem = error.what()};
  }
  return result;
}

void add(const SampleCheck& sample, TableCheck& table) {
  ++table.samples;
  if (!sample.problem.empty()) return table.problems.push_back(sample.problem);
  table.rows += sample.rows;
  table.supervised += sample.supervised;
  for (const int64_t length : sample.lengths) {
    ++table.conversations;
    table.longest = std::max(table.longest, length);
    const auto bits = static_cast<size_t>(std::bit_width(static_cast<uint64_t>(length - 1)));
    ++table.lengths[std::min(bits, table.lengths.size() - 1)];
  }
  for (const auto& [key, name] : sample.pictures) {
    auto& places = table.places_of_picture[key];
    if (std::ranges::find(places, name) == places.end()) places.push_back(name);
  }
}

}  // namespace

TableCheck check_table(const std::string& name, const Dataset& dataset,
                       const CheckOptions& options) {
  TableCheck table{.name = name};
  PictureKeys keys;
  WorkerPool pool(static_cast<size_t>(options.workers));
  std::deque<std::future<std::vector<SampleCheck>>> in_flight;
  const size_t ahead = kJobsPerWorker * static_cast<size_t>(options.workers);
  for (size_t next = 0; next < dataset.size() || !in_flight.empty();) {
    while (next < dataset.size() && in_flight.size() < ahead) {
      const size_t end = std::min(next + kSamplesPerJob, dataset.size());
      in_flight.push_back(pool.submit([&dataset, &options, &keys, begin = next, end] {
        std::vector<SampleCheck> samples;
        for (size_t i = begin; i < end; ++i) {
          samples.push_back(check_sample(dataset, i, options, keys));
        }
        return samples;
      }));
      next = end;
    }
    for (const SampleCheck& sample : in_flight.front().get()) add(sample, table);
    in_flight.pop_front();
    if (options.progress) options.progress(static_cast<size_t>(table.samples));
  }
  return table;
}

std::vector<SamePicture> duplicates_in(const TableCheck& table) {
  std::vector<SamePicture> found;
  for (const auto& [key, places] : table.places_of_picture) {
    for (size_t i = 1; i < places.size(); ++i) found.push_back({places[0], places[i]});
  }
  return found;
}

std::vector<SamePicture> shared_by(const TableCheck& a, const TableCheck& b) {
  std::vector<SamePicture> found;
  for (const auto& [key, places] : a.places_of_picture) {
    const auto other = b.places_of_picture.find(key);
    if (other != b.places_of_picture.end()) found.push_back({places[0], other->second[0]});
  }
  return found;
}

}  // namespace sightline
