#include "batch/compose.h"

#include "base/error.h"
#include "tests/batch/random_layout.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::append;
using test::append_image;
using test::kRowsPerImage;
using test::random_sample;

constexpr MaskPolicy kPolicies[] = {MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix,
                                    MaskPolicy::question};

Rows words(std::vector<int32_t> user, std::vector<int32_t> assistant, int64_t images = 0) {
  Rows rows;
  for (int64_t i = 0; i < images; ++i) append_image(rows, 2);
  for (const int32_t token : user) append(rows, token, RowKind::user);
  for (const int32_t token : assistant) append(rows, token, RowKind::assistant, true);
  return rows;
}

Sample sample_of(std::vector<Rows> conversations, size_t images = 0) {
  Sample sample;
  sample.where = "test:1";
  for (size_t i = 0; i < images; ++i) {
    sample.images.push_back({.path = "picture" + std::to_string(i), .encoded = {}});
  }
  sample.conversations = std::move(conversations);
  return sample;
}

Batch compose_one(const Sample& sample, MaskPolicy policy, int64_t rows_per_image = 2,
                  Sharing sharing = Sharing::by_policy) {
  const Sample* const pointer = &sample;
  return compose({&pointer, 1},
                 {.policy = policy, .rows_per_image = rows_per_image, .sharing = sharing});
}

TEST(Compose, CaptionsOfOnePictureShareItsRows) {
  const Sample sample = sample_of({words({7}, {1, 2, 9}, 1), words({7}, {1, 9}, 1)}, 1);
  const Batch batch = compose_one(sample, MaskPolicy::image);
  using Ints = std::vector<int32_t>;
  EXPECT_EQ(batch.tokens_T, (Ints{-1, -1, 7, 1, 2, 9, 1, 9}));
  EXPECT_EQ(batch.layout.document_T, (Ints{0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(batch.layout.branch_T, (Ints{-1, -1, -1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(batch.layout.block_T, (Ints{0, 0, -1, -1, -1, -1, -1, -1}));
  EXPECT_EQ(batch.layout.position_T, (Ints{0, 1, 2, 3, 4, 5, 3, 4}));
  EXPECT_EQ(batch.image_rows, (Ints{0, 1}));
  EXPECT_EQ(batch.loss_rows_S, (Ints{2, 3, 4, 2, 6}));  // the prompt's row begins both captions
  EXPECT_EQ(batch.targets_S, (Ints{1, 2, 9, 1, 9}));
  EXPECT_EQ(batch.num_images(), 1);
}

TEST(Compose, PrefixPolicyRepeatsTheImageForEachConversation) {
  const Sample sample = sample_of({words({7}, {1, 9}, 1), words({7}, {2, 9}, 1)}, 1);
  const Batch batch = compose_one(sample, MaskPolicy::prefix);
  using Ints = std::vector<int32_t>;
  EXPECT_EQ(batch.layout.document_T, (Ints{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(batch.layout.branch_T, Ints(10, kTrunk));
  EXPECT_EQ(batch.layout.block_T, (Ints{0, 0, 0, -1, -1, 1, 1, 1, -1, -1}));
  EXPECT_EQ(batch.layout.position_T, (Ints{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}));
  EXPECT_EQ(batch.image_rows, (Ints{0, 1, 5, 6}));
  ASSERT_EQ(batch.num_images(), 2);
  EXPECT_EQ(batch.images[0].path, batch.images[1].path);
}

TEST(Compose, OneConversationIsAllTrunk) {
  const Batch batch = compose_one(sample_of({words({7, 8}, {1, 9})}), MaskPolicy::image, 0);
  EXPECT_EQ(batch.layout.branch_T, std::vector<int32_t>(4, kTrunk));
  EXPECT_EQ(batch.loss_rows_S, (std::vector<int32_t>{1, 2}));
  EXPECT_TRUE(batch.images.empty());
}

TEST(Compose, AFirstTokenIsNeverPredicted) {
  const Batch batch = compose_one(sample_of({words({}, {5, 6, 7})}), MaskPolicy::prefix, 0);
  EXPECT_EQ(batch.loss_rows_S, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(batch.targets_S, (std::vector<int32_t>{6, 7}));
}

TEST(Compose, ImagesOutsideTheCommonPrefixMakeSeparateDocuments) {
  // The second conversation asks before it shows the picture.
  Rows first = words({7}, {1}, 1);
  Rows second = words({7}, {});
  append_image(second, 2);
  append(second, 1, RowKind::assistant, true);
  const Sample sample = sample_of({first, second}, 1);
  const Batch batch = compose_one(sample, MaskPolicy::image);
  EXPECT_EQ(batch.layout.document_T.back(), 1);
  EXPECT_EQ(batch.num_images(), 2);
  EXPECT_EQ(packed_rows(sample, {.policy = MaskPolicy::image, .rows_per_image = 2}), 8);
}

TEST(Compose, AConversationThatIsAllTrunkHasNoBranch) {
  const Batch batch = compose_one(sample_of({words({7}, {1}), words({7}, {}), words({7}, {2})}),
                                  MaskPolicy::causal);
  EXPECT_EQ(batch.layout.branch_T, (std::vector<int32_t>{-1, 0, 1}));
}

// The packed rows of a trunk and one of its branches, which read as one sequence.
std::vector<int32_t> rows_of(const Batch& batch, int32_t document, int32_t branch) {
  std::vector<int32_t> rows;
  for (int32_t row = 0; row < batch.rows(); ++row) {
    if (batch.layout.document_T[row] == document &&
        (batch.layout.branch_T[row] == kTrunk || batch.layout.branch_T[row] == branch)) {
      rows.push_back(row);
    }
  }
  return rows;
}

// The naive form: the conversation alone as a document of its own.
void expect_equals_alone(const Batch& batch, const std::vector<int32_t>& rows,
                         const Rows& conversation, const Batch& alone) {
  ASSERT_EQ(rows.size(), conversation.tokens.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(batch.tokens_T[rows[i]], conversation.tokens[i]);
    EXPECT_EQ(batch.layout.position_T[rows[i]], static_cast<int32_t>(i));
    for (size_t k = 0; k < rows.size(); ++k) {
      ASSERT_EQ(allowed(batch.layout, rows[i], rows[k]), allowed(alone.layout, i, k));
    }
  }
}

using Prediction = std::pair<int32_t, int32_t>;

std::vector<Prediction> sorted_predictions(const Batch& batch) {
  std::vector<Prediction> predictions;
  for (int64_t s = 0; s < batch.num_predictions(); ++s) {
    predictions.emplace_back(batch.loss_rows_S[s], batch.targets_S[s]);
  }
  std::sort(predictions.begin(), predictions.end());
  return predictions;
}

void expect_sample_equals_separate_documents(const Sample& sample, MaskPolicy policy) {
  const ComposeOptions options{.policy = policy, .rows_per_image = kRowsPerImage};
  const Batch batch = compose_one(sample, policy, kRowsPerImage);
  ASSERT_EQ(batch.rows(), packed_rows(sample, options));
  ASSERT_EQ(batch.image_rows.size(), batch.images.size() * kRowsPerImage);
  for (const int32_t row : batch.image_rows) EXPECT_EQ(batch.tokens_T[row], kImageRow);
  EXPECT_EQ(std::count(batch.tokens_T.begin(), batch.tokens_T.end(), kImageRow),
            static_cast<int64_t>(batch.image_rows.size()));

  const bool one_document = batch.layout.document_T.back() == 0;
  const std::vector<int32_t> trunk = rows_of(batch, 0, kTrunk);
  std::vector<Prediction> expected;
  int32_t document = 0, branch = 0;
  for (const Rows& conversation : sample.conversations) {
    std::vector<int32_t> rows;
    if (!one_document) {
      rows = rows_of(batch, document++, kTrunk);
    } else if (conversation.tokens.size() == trunk.size()) {
      rows = trunk;
    } else {
      rows = rows_of(batch, 0, branch++);
    }
    const Batch alone =
        compose_one(sample_of({conversation}, sample.images.size()), policy, kRowsPerImage);
    expect_equals_alone(batch, rows, conversation, alone);
    for (size_t i = 1; i < rows.size(); ++i) {
      if (conversation.supervised[i]) expected.emplace_back(rows[i - 1], conversation.tokens[i]);
    }
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(sorted_predictions(batch), expected);
  EXPECT_TRUE(shares_trunk(policy) || !one_document || sample.conversations.size() == 1);
}

TEST(Compose, RandomSamplesEqualSeparateDocuments) {
  Rng rng(4);
  for (int i = 0; i < 500 && !HasFatalFailure(); ++i) {
    const Sample sample = random_sample(rng);
    for (const MaskPolicy policy : kPolicies) {
      expect_sample_equals_separate_documents(sample, policy);
    }
  }
}

TEST(Compose, SharingNeverGivesEveryConversationADocument) {
  Rng rng(5);
  for (int i = 0; i < 100; ++i) {
    const Sample sample = random_sample(rng);
    const Batch batch = compose_one(sample, MaskPolicy::image, kRowsPerImage, Sharing::never);
    EXPECT_EQ(batch.layout.document_T.back() + 1,
              static_cast<int32_t>(sample.conversations.size()));
    EXPECT_EQ(batch.num_images(),
              static_cast<int64_t>(sample.images.size() * sample.conversations.size()));
  }
}

TEST(Compose, SamplesLieSideBySide) {
  Rng rng(6);
  const Sample a = random_sample(rng), b = random_sample(rng);
  const Sample* const both[] = {&a, &b};
  for (const MaskPolicy policy : kPolicies) {
    const Batch first = compose_one(a, policy, kRowsPerImage);
    const Batch second = compose_one(b, policy, kRowsPerImage);
    const Batch batch = compose(both, {.policy = policy, .rows_per_image = kRowsPerImage});
    ASSERT_EQ(batch.rows(), first.rows() + second.rows());
    const auto offset = static_cast<int32_t>(first.rows());
    auto tokens = first.tokens_T;
    tokens.insert(tokens.end(), second.tokens_T.begin(), second.tokens_T.end());
    EXPECT_EQ(batch.tokens_T, tokens);
    for (int32_t q = 0; q < batch.rows(); ++q) {
      for (int32_t k = 0; k < batch.rows(); ++k) {
        const bool same = (q < offset) == (k < offset);
        const bool expected = same && (q < offset ? allowed(first.layout, q, k)
                                                  : allowed(second.layout, q - offset, k - offset));
        ASSERT_EQ(allowed(batch.layout, q, k), expected);
      }
    }
    EXPECT_EQ(batch.num_predictions(), first.num_predictions() + second.num_predictions());
    EXPECT_EQ(batch.sample_names, (std::vector<std::string>{a.where, b.where}));
  }
}

TEST(Compose, OurBugsAreAsserted) {
  const auto composes = [](const Sample& sample, int64_t rows_per_image) {
    return compose_one(sample, MaskPolicy::image, rows_per_image).rows();
  };
  EXPECT_THROW(composes(sample_of({}), 2), AssertionError);
  EXPECT_THROW(composes(sample_of({Rows{}}), 2), AssertionError);
  EXPECT_THROW(composes(sample_of({words({7}, {1}, 1)}, 2), 2), AssertionError);  // one is missing
  EXPECT_THROW(composes(sample_of({words({7}, {1}, 1)}, 1), 3), AssertionError);
  EXPECT_THROW(composes(sample_of({words({7}, {1}, 1)}, 1), 0), AssertionError);
  Rows torn = words({7}, {1}, 1);  // 2 rows, a word, 2 rows for one image of 4
  append_image(torn, 2);
  EXPECT_THROW(composes(sample_of({torn}, 1), 4), AssertionError);
  Rows inside = words({7}, {1}, 1);
  inside.supervised[1] = 1;
  EXPECT_THROW(composes(sample_of({inside}, 1), 2), AssertionError);
}

}  // namespace
}  // namespace sightline
