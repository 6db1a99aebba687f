#pragma once
// A sample: one picture (or several, or none) with all that is said of it, as tokens. The contract
// between src/sample, which makes samples, and the packer, which lays them side by side.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sightline {

inline constexpr int32_t kImageRow = -1;  // token id of a row that an image's features fill

enum class RowKind : uint8_t { image, user, assistant };  // user: also the template's own words

// Tokens in order; images stand as runs of kImageRow. A supervised token is one that the model is
// to predict, from the row before it (compose.h shifts, once, there and nowhere else). A first
// token has no row before it and is never predicted.
struct Rows {
  std::vector<int32_t> tokens;
  std::vector<RowKind> kinds;
  std::vector<uint8_t> supervised;  // 1: this token is the assistant's (it is to be predicted)
  bool awaits_answer = false;       // generation: the assistant speaks after the last row
};

// Where an image comes from: what the loader decodes and the feature store keys by content.
struct ImageSource {
  std::string path;                            // a file, or
  std::shared_ptr<const std::string> encoded;  // PNG/JPEG bytes held in memory (generated scenes)
  // Where `path` is a tar archive: the picture's name in it, and its bytes.
  std::string member;
  uint64_t begin = 0, size = 0;

  // Of a file, or a file in an archive, no other's.
  std::string name() const {
    if (encoded) return "<generated>";
    return member.empty() ? path : path + "/" + member;
  }
};

// Each conversation is whole: its own copy of images and prompt. `batch/compose.h` finds what the
// conversations of one sample share (their common prefix) and lays it out as a trunk, where the
// mask policy lets it.
struct Sample {
  std::string where;                    // "file:row", for errors and the log
  std::vector<ImageSource> images;      // in the order of their rows
  std::vector<Rows> conversations;      // at least one
  std::vector<std::string> references;  // evaluation: the captions or answers as given
};

}  // namespace sightline
