#pragma once
// A self-contained page that lays over a photograph where a model looked as it chose each word: for
// light and dark, wide and narrow screens, pointer, touch and keyboard; nothing is loaded from
// elsewhere.

#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

struct AttendedWord {
  std::string text;
  // [layer][cell], cells row by row: shares of the word's attention. Their sum is the share that
  // lies on the picture.
  std::vector<std::vector<float>> cells;
};

struct AttentionPage {
  std::string picture;        // its name
  std::string image_type;     // "image/jpeg"
  std::string image;          // its file's bytes
  int width = 0, height = 0;  // of the picture as shown, in pixels
  // The square that the model saw, in the picture's pixels; it may be smaller or larger.
  double left = 0, top = 0, square_width = 0, square_height = 0;
  std::string seen;  // in words: what became of the picture before the model saw it

  int64_t cells_a_side = 0;    // rows of the language model, laid out as they lie in the picture
  int64_t patches_a_side = 0;  // of the vision model; a multiple of the former
  int64_t heads = 0;
  std::vector<AttendedWord> words;  // at least one
  double difference = 0;  // of the weights times values from what the model computed, relative
};

std::string attention_page_html(const AttentionPage& page);

}  // namespace sightline
