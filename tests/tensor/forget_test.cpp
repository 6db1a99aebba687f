#include "tensor/forget.h"

#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// Two products of x tanh(x), of which one sees it by a view.
struct Network {
  at::Tensor x = at::randn({6, 4}).set_requires_grad(true);
  at::Tensor a = at::randn({5, 4}).set_requires_grad(true);
  at::Tensor b = at::randn({3, 4}).set_requires_grad(true);
  at::Tensor inner, p, q;

  void forward() {
    inner = x * at::tanh(x.detach());
    p = at::linear(inner, a);
    q = at::linear(inner.view({2, 3, 4}), b);
  }
  at::Tensor loss() const { return p.square().sum() + q.exp().sum(); }
  std::vector<at::Tensor> gradients() {
    std::vector<at::Tensor> list;
    for (at::Tensor* leaf : {&x, &a, &b}) {
      list.push_back(leaf->grad());
      leaf->mutable_grad() = at::Tensor();
    }
    return list;
  }
};

TEST(Forget, BackwardIsTheSameToTheBit) {
  Network network;
  network.forward();
  network.loss().backward();
  const std::vector<at::Tensor> expected = network.gradients();
  int made = 0;
  network.forward();
  forget_until_backward(network.inner, {network.p, network.q}, network.a,
                        [&made, x = network.x.detach()] {
                          ++made;
                          return x * at::tanh(x);
                        });
  EXPECT_EQ(network.inner.storage().data(), nullptr) << "its memory is given back";
  network.loss().backward();
  const std::vector<at::Tensor> found = network.gradients();
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(found[i], expected[i])) << i;
  EXPECT_EQ(made, 1) << "for both products";
}

TEST(Forget, OneUserIsEnoughForBackward) {
  Network network;
  network.forward();
  forget_until_backward(network.inner, {network.p, network.q}, network.a,
                        [x = network.x.detach()] { return x * at::tanh(x); });
  network.q.sum().backward();
  EXPECT_TRUE(network.b.grad().defined());
  EXPECT_FALSE(network.a.grad().defined());
}

TEST(Forget, NothingIsForgottenForAMatrixThatDoesNotTrain) {
  Network network;
  network.a.set_requires_grad(false);
  network.forward();
  forget_until_backward(network.inner, {network.p, network.q}, network.a,
                        [] { return at::Tensor(); });
  EXPECT_NE(network.inner.storage().data(), nullptr);
}

TEST(Forget, NothingIsForgottenWithoutGradients) {
  Network network;
  const c10::NoGradGuard no_grad;
  network.forward();
  forget_until_backward(network.inner, {network.p, network.q}, network.a,
                        [] { return at::Tensor(); });
  EXPECT_NE(network.inner.storage().data(), nullptr);
}

}  // namespace
}  // namespace sightline
