#include "sample/encoder.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

namespace {

// A first token has no row before it to be predicted from, so it alone does not count.
bool predicts_anything(const Rows& rows) {
  if (rows.supervised.empty()) return false;
  return std::find(rows.supervised.begin() + 1, rows.supervised.end(), 1) != rows.supervised.end();
}

}  // namespace

SampleEncoder::SampleEncoder(const PromptTemplate& prompt_template, int64_t rows_per_image)
    : template_(prompt_template), rows_per_image_(rows_per_image) {
  SL_ASSERT(rows_per_image >= 0, "{} rows an image", rows_per_image);
}

Sample SampleEncoder::encode(const Example& example) const {
  const auto num_images = static_cast<int64_t>(example.images.size());
  check(num_images == 0 || rows_per_image_ > 0,
        "{}: has a picture, but the model is of text alone: give the recipe a vision model",
        example.where);
  check(!example.conversations.empty(), "{}: has no conversation", example.where);

  Sample sample{.where = example.where, .images = example.images, .references = example.references};
  for (const auto& turns : example.conversations) {
    const int64_t shown = images_of(turns);
    check(shown == num_images, "{}: has {} pictures, but a conversation shows {}", example.where,
          num_images, shown);
    try {
      sample.conversations.push_back(rows_of(template_.render(turns)));
    } catch (const Error& error) {
      fail("{}: {}", example.where, error.what());
    }
    check(predicts_anything(sample.conversations.back()),
          "{}: a conversation has no token to learn: every conversation needs an answer",
          example.where);
  }
  return sample;
}

Rows SampleEncoder::encode_prompt(std::span<const Turn> turns) const {
  check(images_of(turns) == 0 || rows_per_image_ > 0,
        "the prompt has a picture, but the model is of text alone");
  Rows rows = rows_of(template_.render_prompt(turns));
  rows.awaits_answer = true;
  return rows;
}

Rows SampleEncoder::rows_of(std::span<const Piece> pieces) const {
  Rows rows;
  for (const Piece& piece : pieces) {
    const bool is_image = piece.kind == Piece::Kind::image;
    if (is_image) {
      rows.tokens.insert(rows.tokens.end(), rows_per_image_, kImageRow);
    } else {
      rows.tokens.insert(rows.tokens.end(), piece.tokens.begin(), piece.tokens.end());
    }
    const RowKind of_role = piece.role == Role::user ? RowKind::user : RowKind::assistant;
    rows.kinds.resize(rows.tokens.size(), is_image ? RowKind::image : of_role);
    rows.supervised.resize(rows.tokens.size(), piece.supervised ? 1 : 0);
  }
  return rows;
}

}  // namespace sightline
