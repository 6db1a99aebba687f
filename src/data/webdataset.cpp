// The reader of tar archives whose samples are files named alike (WebDataset, img2dataset).
//
// In memory is the place of every 16th sample: a byte a sample. The others are found from there by
// the archives' headers.

#include "base/error.h"
#include "base/json.h"
#include "data/jsonl.h"
#include "data/readers.h"
#include "data/tar_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

namespace sightline {

namespace {

namespace fs = std::filesystem;

constexpr size_t kEvery = 16;  // samples, of which one's place is kept
constexpr std::array<std::string_view, 4> kPictures = {"jpg", "jpeg", "png", "webp"};

// "a/b.0/000012.jpg": all up to the name's first dot, and what is behind it, in small letters. An
// empty key: the name has no dot, and the file is no sample's, as in WebDataset.
struct SampleName {
  std::string key, kind;

  explicit SampleName(const std::string& name) {
    const size_t slash = name.rfind('/');
    const size_t begin = slash == std::string::npos ? 0 : slash + 1;
    const size_t dot = name.find('.', begin);
    if (dot == std::string::npos || dot == begin) return;
    key = name.substr(0, dot);
    kind = name.substr(dot + 1);
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
};

struct Group {
  std::string key;
  std::vector<std::pair<std::string, TarMember>> files;  // kind, file
  uint64_t begin = 0, end = 0;                           // in the archive
};

// The first sample at or behind a place; without files at the archive's end.
Group group_at(const TarFile& archive, uint64_t place) {
  Group group{.begin = place, .end = place};
  while (auto member = archive.next(place)) {
    const SampleName name(member->name);
    if (!name.key.empty() && group.files.empty()) group.key = name.key;
    if (!name.key.empty() && name.key != group.key) break;
    if (!name.key.empty()) group.files.emplace_back(name.kind, std::move(*member));
    group.end = place;
  }
  return group;
}

std::vector<std::string> archives_of(const std::string& path) {
  std::error_code code;
  if (!fs::is_directory(path, code)) return {path};
  std::vector<std::string> archives;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file() && entry.path().extension() == ".tar") {
      archives.push_back(entry.path().string());
    }
  }
  check(!archives.empty(), "{}: no archive (.tar) in this folder", path);
  std::sort(archives.begin(), archives.end());
  return archives;
}

// The only file of one of these kinds; null where there is none.
template <class Kinds>
const TarMember* only(const Group& group, const Kinds& kinds, const std::string& where) {
  const TarMember* found = nullptr;
  for (const auto& [kind, file] : group.files) {
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) continue;
    check(found == nullptr, "{}: has {} and {}: of each one is wanted", where,
          found == nullptr ? "" : found->name, file.name);
    found = &file;
  }
  return found;
}

class ShardDataset final : public Dataset {
 public:
  explicit ShardDataset(const DataRecipe& recipe)
      : recipe_(recipe), archives_(archives_of(recipe.annotations)) {
    for (uint32_t i = 0; i < archives_.size() && !is_full(); ++i) scan(i);
    check(size_ > 0, "{}: no sample: files named alike, as 000012.jpg and 000012.txt",
          recipe.annotations);
    places_.shrink_to_fit();
  }

  size_t size() const override { return size_; }

  Example example(size_t number) const override {
    SL_ASSERT(number < size_, "sample {} of {}", number, size_);
    Place place = places_[number / kEvery];
    size_t steps = number % kEvery;
    for (;; ++place.archive, place.begin = 0) {
      const TarFile archive(archives_[place.archive]);
      for (Group group = group_at(archive, place.begin); !group.files.empty();
           group = group_at(archive, group.end)) {
        if (steps-- == 0) return example_of(archive, place.archive, group);
      }
      check(place.archive + 1 < archives_.size(),
            "{}: holds fewer samples than when it was opened: it has changed",
            archives_[place.archive]);
    }
  }

 private:
  struct Place {
    uint64_t begin = 0;
    uint32_t archive = 0;
  };

  bool is_full() const { return recipe_.limit > 0 && size_ == static_cast<size_t>(recipe_.limit); }

  // Counts an archive's samples and, unless bad ones are the loader's, reads their words.
  void scan(uint32_t number) {
    const TarFile archive(archives_[number]);
    for (Group group = group_at(archive, 0); !group.files.empty() && !is_full();
         group = group_at(archive, group.end)) {
      if (recipe_.on_bad_sample == OnBadSample::fail) example_of(archive, number, group);
      if (size_ % kEvery == 0) places_.push_back({group.begin, number});
      ++size_;
    }
  }

  Example example_of(const TarFile& archive, uint32_t number, const Group& group) const {
    const std::string& path = archives_[number];
    const std::string where = fmt::format("{}: {}", path, group.key);
    const TarMember* const picture = only(group, kPictures, where);
    check(picture != nullptr, "{}: no picture (.jpg, .jpeg, .png or .webp) under this name", where);
    ImageSource source{.path = path, .member = picture->name, .begin = picture->begin};
    source.size = picture->size;
    if (const TarMember* const caption = only(group, std::array{"txt"}, where)) {
      const Json words = {{"caption", archive.read(*caption)}};
      return read_json_words(recipe_, words, std::move(source), where);
    }
    const TarMember* const words = only(group, std::array{"json"}, where);
    check(words != nullptr, "{}: no words (.txt or .json) under this name", where);
    return read_json_words(recipe_, parse_json(archive.read(*words), where), std::move(source),
                           where);
  }

  DataRecipe recipe_;
  std::vector<std::string> archives_;
  std::vector<Place> places_;
  size_t size_ = 0;
};

}  // namespace

std::unique_ptr<Dataset> open_webdataset(const std::string&, const DataRecipe& recipe) {
  return std::make_unique<ShardDataset>(recipe);
}

}  // namespace sightline
