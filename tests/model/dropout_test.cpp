#include "model/dropout.h"

#include "tests/tiny_model.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Dropout, EqualsItsPlainDefinitionForwardAndBackward) {
  at::manual_seed(1);
  for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
    for (const auto& shape : {std::vector<int64_t>{3, 5, 7}, {1}, {400, 300}}) {
      const Dropout dropout{0.3, 11};
      const at::Tensor x = at::randn(shape).to(dtype), grad = at::randn(shape).to(dtype);
      const at::Tensor ours = x.clone().set_requires_grad(true);
      const at::Tensor plain = x.clone().set_requires_grad(true);
      const at::Tensor out = dropped_out(ours, dropout),
                       defined = plain_dropped_out(plain, dropout);
      const double tolerance = dtype == at::kBFloat16 ? 1e-2 : 1e-6;
      EXPECT_TRUE(at::allclose(out, defined, tolerance, tolerance));
      EXPECT_TRUE(at::equal(out == 0, defined == 0));
      out.backward(grad);
      defined.backward(grad);
      EXPECT_TRUE(at::allclose(ours.grad(), plain.grad(), tolerance, tolerance));
    }
  }
}

// Drops the share that it says, and leaves the sum as it was: within five standard deviations.
TEST(Dropout, KeepsTheExpectation) {
  constexpr int64_t kCount = 1 << 20;
  for (const double p : {0.01, 0.1, 0.5, 0.9}) {
    const at::Tensor out = dropped_out(at::ones({kCount}), {p, 3});
    const double dropped = (out == 0).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(dropped, p, 5 * std::sqrt(p * (1 - p) / kCount));
    EXPECT_NEAR(out.max().item<double>(), 1 / (1 - p), 1e-5);
    EXPECT_NEAR(out.to(at::kDouble).mean().item<double>(), 1.0,
                5 * std::sqrt(p / (1 - p) / kCount));
  }
}

// Two independent masks of one half agree in half of the places.
TEST(Dropout, HasAMaskOfItsOwnForEverySeedSiteAndLayer) {
  const at::Tensor ones = at::ones({10000});
  const Dropout dropout{0.5, 1};
  const std::vector<Dropout> others = {dropout.at("attention", 0), dropout.at("attention", 1),
                                       dropout.at("mlp", 0), Dropout{0.5, 2}};
  for (size_t i = 0; i < others.size(); ++i) {
    EXPECT_TRUE(at::equal(dropped_out(ones, others[i]), dropped_out(ones, others[i])));
    for (size_t k = 0; k < i; ++k) {
      const at::Tensor same = dropped_out(ones, others[i]) == dropped_out(ones, others[k]);
      EXPECT_NEAR(same.to(at::kDouble).mean().item<double>(), 0.5, 0.025) << i << " " << k;
    }
  }
}

TEST(Dropout, OfNothingIsNoOperation) {
  const at::Tensor x = at::ones({3}).set_requires_grad(true);
  EXPECT_TRUE(dropped_out(x, {}).is_same(x));
}

class ModelDropoutTest : public testing::Test {
 protected:
  at::Tensor image_rows(const ModelDropout& dropout) const {
    return model_->image_rows(pixels_, kFromPixels, dropout);
  }
  at::Tensor hidden(Dropout dropout) const {
    const auto attend = [](int64_t, const at::Tensor& q, const at::Tensor&, const at::Tensor&) {
      return q;
    };
    return model_->language().forward(rows_, at::arange(6, at::kLong), attend, dropout);
  }

  std::unique_ptr<Model> model_ = test::tiny_model();
  at::Tensor pixels_ = random_parameter("pixels", {2, 3, 16, 16}, 1) * 50;
  at::Tensor rows_ = random_parameter("rows", {6, 16}, 2) * 50;
};

TEST_F(ModelDropoutTest, ReachesEachPartByItsOwnNumber) {
  const Dropout half{0.5, 4};
  const at::Tensor none = image_rows({});
  EXPECT_TRUE(at::equal(none, image_rows({})));
  EXPECT_FALSE(at::allclose(none, image_rows({.vision = half})));
  EXPECT_FALSE(at::allclose(none, image_rows({.connector = half})));
  EXPECT_TRUE(at::equal(none, image_rows({.language = half})));
  EXPECT_TRUE(at::equal(image_rows({.vision = half}), image_rows({.vision = half})));
  EXPECT_FALSE(at::allclose(hidden({}), hidden(half)));
  EXPECT_TRUE(at::equal(hidden(half), hidden(half)));
}

// Where nearly all is dropped nothing is added, and rows come out as they went in but for the norm.
TEST_F(ModelDropoutTest, DropsWhatLayersAddToTheRows) {
  const at::Tensor kept = hidden({1.0 - 1e-9, 4});
  const at::Tensor scale = (rows_ * rows_).mean(at::IntArrayRef{1}, true).sqrt();
  EXPECT_TRUE(at::allclose(kept, rows_ / scale, 1e-3, 1e-4));
}

}  // namespace
}  // namespace sightline
