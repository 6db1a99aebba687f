#include "batch/compose.h"

#include "base/error.h"
#include "batch/mask_policy.h"

#include <algorithm>
#include <utility>

namespace sightline {
namespace {

int64_t length(const Rows& rows) { return static_cast<int64_t>(rows.tokens.size()); }

void assert_conversation(const Sample& sample, const Rows& rows, int64_t rows_per_image) {
  const size_t size = rows.tokens.size();
  SL_ASSERT(size > 0, "{}: an empty conversation", sample.where);
  SL_ASSERT(rows.kinds.size() == size && rows.supervised.size() == size,
            "{}: {} tokens, {} kinds, {} supervised", sample.where, size, rows.kinds.size(),
            rows.supervised.size());
  int64_t image_rows = 0;
  for (size_t i = 0; i < size; ++i) {
    const bool is_image = rows.tokens[i] == kImageRow;
    SL_ASSERT(is_image == (rows.kinds[i] == RowKind::image), "{}: row {} is of another kind",
              sample.where, i);
    if (is_image) {
      ++image_rows;
    } else {
      // Between two runs of image rows, so every run is a whole number of images.
      SL_ASSERT(image_rows == 0 || (rows_per_image > 0 && image_rows % rows_per_image == 0),
                "{}: {} image rows before row {}, {} an image", sample.where, image_rows, i,
                rows_per_image);
    }
  }
  const auto images = static_cast<int64_t>(sample.images.size());
  SL_ASSERT(image_rows == images * rows_per_image, "{}: {} image rows for {} images of {} rows",
            sample.where, image_rows, images, rows_per_image);
}

// Length of the longest prefix that two conversations share before anything is supervised in
// either.
int64_t common_prefix(const Rows& a, const Rows& b) {
  const int64_t end = std::min(length(a), length(b));
  int64_t i = 0;
  while (i < end && a.tokens[i] == b.tokens[i] && a.kinds[i] == b.kinds[i] && !a.supervised[i] &&
         !b.supervised[i]) {
    ++i;
  }
  return i;
}

// Rows that the sample's conversations share, or 0 where each is a document of its own. A shared
// trunk holds all the images, so it never ends inside one and no branch has any.
int64_t shared_rows(const Sample& sample, const ComposeOptions& options) {
  if (sample.conversations.size() < 2 || options.sharing == Sharing::never ||
      !shares_trunk(options.policy)) {
    return 0;
  }
  const Rows& first = sample.conversations.front();
  int64_t shared = length(first);
  for (size_t c = 1; c < sample.conversations.size(); ++c) {
    shared = std::min(shared, common_prefix(first, sample.conversations[c]));
  }
  const auto image_rows =
      std::count(first.tokens.begin(), first.tokens.begin() + shared, kImageRow);
  const auto images = static_cast<int64_t>(sample.images.size());
  return image_rows == images * options.rows_per_image ? shared : 0;
}

class Composer {
 public:
  explicit Composer(const ComposeOptions& options) : options_(options) {
    batch_.rows_per_image = options.rows_per_image;
  }

  void add(const Sample& sample) {
    SL_ASSERT(!sample.conversations.empty(), "{}: no conversation", sample.where);
    for (const Rows& rows : sample.conversations) {
      assert_conversation(sample, rows, options_.rows_per_image);
    }
    batch_.sample_names.push_back(sample.where);
    const int64_t shared = shared_rows(sample, options_);
    if (shared > 0) {
      add_branched(sample, shared);
      return;
    }
    for (const Rows& rows : sample.conversations) {
      open_document(sample);
      append(rows, 0, length(rows), kTrunk, -1);
    }
  }

  Batch finish() && {
    batch_.plan = make_plan(batch_.layout);
    return std::move(batch_);
  }

 private:
  void open_document(const Sample& sample) {
    ++document_;
    batch_.images.insert(batch_.images.end(), sample.images.begin(), sample.images.end());
  }

  void add_branched(const Sample& sample, int64_t shared) {
    open_document(sample);
    append(sample.conversations.front(), 0, shared, kTrunk, -1);
    const auto trunk_end = static_cast<int32_t>(batch_.rows());
    int32_t branch = 0;
    for (const Rows& rows : sample.conversations) {
      // A conversation that is all trunk has no rows of its own.
      if (length(rows) > shared) append(rows, shared, length(rows), branch++, trunk_end - 1);
    }
  }

  // Rows [begin, end) of a conversation; `previous` is the packed row before `begin`, -1 for none.
  void append(const Rows& rows, int64_t begin, int64_t end, int32_t branch, int32_t previous) {
    const std::vector<int32_t> blocks = blocks_of(rows, options_.policy, options_.rows_per_image);
    int32_t open = kNoBlock;
    for (int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<int32_t>(batch_.rows());
      if (blocks[i] != open && blocks[i] != kNoBlock) ++block_;
      open = blocks[i];
      batch_.tokens_T.push_back(rows.tokens[i]);
      batch_.layout.document_T.push_back(document_);
      batch_.layout.branch_T.push_back(branch);
      batch_.layout.block_T.push_back(open == kNoBlock ? kNoBlock : block_);
      batch_.layout.position_T.push_back(static_cast<int32_t>(i));
      if (rows.tokens[i] == kImageRow) batch_.image_rows.push_back(row);
      if (rows.supervised[i]) {
        SL_ASSERT(open == kNoBlock, "{}: supervised row {} lies in a block",
                  batch_.sample_names.back(), i);
        predict(previous, rows.tokens[i]);
      }
      previous = row;
    }
  }

  void predict(int32_t row, int32_t token) {
    SL_ASSERT(token != kImageRow, "{}: a supervised image row", batch_.sample_names.back());
    if (row < 0) return;  // a first token: nothing stands before it to predict it from
    batch_.loss_rows_S.push_back(row);
    batch_.targets_S.push_back(token);
  }

  ComposeOptions options_;
  Batch batch_;
  int32_t document_ = -1;
  int32_t block_ = -1;
};

}  // namespace

bool shares_trunk(MaskPolicy policy) { return rule_of(policy).trunk == Trunk::shared; }

int64_t documents_of(const Sample& sample, const ComposeOptions& options) {
  const bool is_shared = shared_rows(sample, options) > 0;
  return is_shared ? 1 : static_cast<int64_t>(sample.conversations.size());
}

int64_t packed_rows(const Sample& sample, const ComposeOptions& options) {
  const int64_t shared = shared_rows(sample, options);
  int64_t rows = shared;
  for (const Rows& conversation : sample.conversations) rows += length(conversation) - shared;
  return rows;
}

Batch compose(std::span<const Sample* const> samples, const ComposeOptions& options) {
  Composer composer(options);
  for (const Sample* sample : samples) composer.add(*sample);
  return std::move(composer).finish();
}

}  // namespace sightline
