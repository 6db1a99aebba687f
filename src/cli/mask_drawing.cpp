#include "cli/mask_drawing.h"

#include "batch/compose.h"
#include "recipe/names.h"

#include <string_view>

#include <fmt/format.h>

namespace sightline {
namespace {

constexpr int64_t kRowsPerImage = 3;

// The words of the samples; a token is an index here.
class Words {
 public:
  int32_t add(std::string_view word, RowKind kind) {
    words_.push_back({std::string(word), kind});
    return static_cast<int32_t>(words_.size()) - 1;
  }
  const std::string& label(int32_t token) const { return words_.at(token).label; }
  RowKind kind(int32_t token) const { return words_.at(token).kind; }

 private:
  struct Word {
    std::string label;
    RowKind kind;
  };
  std::vector<Word> words_;
};

void append(Rows& rows, int32_t token, RowKind kind) {
  rows.tokens.push_back(token);
  rows.kinds.push_back(kind);
  rows.supervised.push_back(kind == RowKind::assistant ? 1 : 0);
}

void append_image(Rows& rows) {
  for (int64_t i = 0; i < kRowsPerImage; ++i) append(rows, kImageRow, RowKind::image);
}

void say(Rows& rows, Words& words, RowKind kind, std::initializer_list<std::string_view> said) {
  for (const std::string_view word : said) append(rows, words.add(word, kind), kind);
}

Sample conversation(Words& words) {
  Sample sample{.where = "drawing", .images = {ImageSource{}, ImageSource{}}};
  Rows rows;
  append_image(rows);
  say(rows, words, RowKind::user, {"what", "is it?"});
  say(rows, words, RowKind::assistant, {"a cat", "<end>"});
  append_image(rows);
  say(rows, words, RowKind::user, {"and", "here?"});
  say(rows, words, RowKind::assistant, {"a dog", "<end>"});
  sample.conversations = {rows};
  return sample;
}

Sample two_captions(Words& words) {
  Sample sample{.where = "drawing", .images = {ImageSource{}}};
  Rows first;
  append_image(first);
  say(first, words, RowKind::user, {"describe"});
  Rows second = first;
  say(first, words, RowKind::assistant, {"a", "cat", "<end>"});
  say(second, words, RowKind::assistant, {"some", "pet", "<end>"});
  sample.conversations = {first, second};
  return sample;
}

bool opens(const Layout& layout, int64_t row) {
  return row == 0 || layout.document_T[row] != layout.document_T[row - 1] ||
         layout.branch_T[row] != layout.branch_T[row - 1];
}

Grid drawing_of(const std::string& title, const Sample& sample, const Words& words,
                MaskPolicy policy) {
  const Sample* pointer = &sample;
  const Batch batch = compose({&pointer, 1}, {policy, kRowsPerImage});
  Grid grid{.title = title,
            .kinds = {{"image", "#3b6fb6", "#6aa3ee"},
                      {"user", "#c77d1e", "#e2a24c"},
                      {"assistant", "#3a8f56", "#5cc07f"}}};
  int64_t image_rows = 0;
  for (int64_t q = 0; q < batch.rows(); ++q) {
    const int32_t token = batch.tokens_T[q];
    const bool image = token == kImageRow;
    const RowKind kind = image ? RowKind::image : words.kind(token);
    const std::string label =
        image ? fmt::format("image {}", image_rows++ % kRowsPerImage + 1) : words.label(token);
    grid.lines.push_back({label, static_cast<size_t>(kind), opens(batch.layout, q)});
    for (int64_t k = 0; k < batch.rows(); ++k) {
      const Cell seen = k > q ? Cell::ahead : Cell::earlier;
      grid.cells.push_back(allowed(batch.layout, q, k) ? seen : Cell::hidden);
    }
  }
  return grid;
}

}  // namespace

std::vector<Grid> mask_drawings(MaskPolicy policy) {
  const std::string name(enum_name(policy));
  Words words;
  const Sample talk = conversation(words), captions = two_captions(words);
  const std::string how = shares_trunk(policy) ? "branches" : "two documents";
  return {drawing_of(name + ": a conversation", talk, words, policy),
          drawing_of(name + ": two captions, " + how, captions, words, policy)};
}

}  // namespace sightline
