#include "server/engine/rounding.h"

#include <cmath>
#include <limits>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/add.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/log_softmax.h"
#include "ATen/ops/mul.h"
#include "ATen/ops/ones_like.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/slice.h"
#include "ATen/ops/tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/engine/rounding_oracle.h"
#include "torch/csrc/autograd/autograd.h"

namespace mantissa::engine {
namespace {

using planner::TensorKind;
using ::testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> ValuesOf(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous();
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

at::Tensor Leaf(const std::vector<float>& values) {
  return at::tensor(values).set_requires_grad(true);
}

class RoundingTest : public ::testing::Test {
 protected:
  Rounder rounder_{kernels::Rounding::kNearestEven, /*seed=*/1};
  RoundingSite low_v_{.kind = TensorKind::kActivation, .format = kernels::kLowForward};
  RoundingSite high_v_{.kind = TensorKind::kActivation, .format = kernels::kHigh};
  RoundingSite low_dv_{.kind = TensorKind::kActivationGradient, .format = kernels::kLowBackward};
  RoundingSite high_dv_{.kind = TensorKind::kActivationGradient, .format = kernels::kHigh};
};

TEST_F(RoundingTest, ActivationSaturatesCountsAndLetsEveryGradientPass) {
  const at::Tensor x = Leaf({0.3f, 31.0f, -100.0f, 1e-6f, 0.0f});
  const at::Tensor y = RoundActivation(rounder_, low_v_, at::mul(x, 1));
  EXPECT_THAT(ValuesOf(y), ElementsAre(0.3125f, 30.0f, -30.0f, 0.0f, 0.0f));
  EXPECT_EQ(low_v_.counts.overflow, 2);
  EXPECT_EQ(low_v_.counts.underflow, 1);
  EXPECT_EQ(low_v_.elements, 5);
  torch::autograd::backward({y}, {at::tensor(std::vector<float>{1, 2, 3, 4, 5})});
  EXPECT_THAT(ValuesOf(x.grad()), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(RoundingTest, ActivationOverwritesOnlyMemoryThatNobodyElseReads) {
  const at::Tensor x = Leaf({0.3f, 0.7f});
  at::Tensor product = at::mul(x, 1);
  const void* const memory = product.data_ptr();
  const at::Tensor alone = RoundActivation(rounder_, low_v_, std::move(product));
  EXPECT_EQ(alone.data_ptr(), memory);

  // ReLU saves its output for its gradient; a slice shows its input's memory.
  const at::Tensor relu = at::relu(x);
  const at::Tensor rounded = RoundActivation(rounder_, low_v_, relu);
  EXPECT_NE(rounded.data_ptr(), relu.data_ptr());
  EXPECT_THAT(ValuesOf(relu), ElementsAre(0.3f, 0.7f));
  const at::Tensor base = at::mul(x, 1);
  const at::Tensor part = RoundActivation(rounder_, low_v_, at::slice(base, 0, 0, 1));
  EXPECT_THAT(ValuesOf(part), ElementsAre(0.3125f));
  EXPECT_THAT(ValuesOf(base), ElementsAre(0.3f, 0.7f));
}

TEST_F(RoundingTest, GradientIsRoundedToItsFormatAndOverflowsToInfinity) {
  const at::Tensor x = Leaf({1, 1, 1, 1});
  const at::Tensor y = at::mul(RoundGradient(rounder_, low_dv_, x), 1);
  EXPECT_THAT(ValuesOf(y), ElementsAre(1, 1, 1, 1));
  torch::autograd::backward({y}, {at::tensor(std::vector<float>{1.1f, -2.7f, 122880.0f, 1e-9f})});
  EXPECT_THAT(ValuesOf(x.grad()), ElementsAre(1.0f, -2.5f, kInfinity, 0.0f));
  EXPECT_EQ(low_dv_.counts.overflow, 1);
  EXPECT_EQ(low_dv_.counts.underflow, 1);
}

TEST_F(RoundingTest, SumOfTwoConsumersIsNotRoundedAgain) {
  const at::Tensor x = Leaf({1});
  RoundingSite second = low_dv_;
  const at::Tensor a = at::mul(RoundGradient(rounder_, low_dv_, x), 1.1f);
  const at::Tensor b = at::mul(RoundGradient(rounder_, second, x), 16.0f);
  torch::autograd::backward({at::add(a, b)}, {at::tensor(std::vector<float>{1})});
  // 17 is no value of fp(5,2,0).
  EXPECT_THAT(ValuesOf(x.grad()), ElementsAre(17.0f));
}

TEST_F(RoundingTest, GradientSharedByTwoInputsIsRoundedForEachAlone) {
  const at::Tensor x = Leaf({1}), z = Leaf({1});
  const at::Tensor sum =
      at::add(RoundGradient(rounder_, low_dv_, x), RoundGradient(rounder_, high_dv_, z));
  torch::autograd::backward({at::mul(sum, 1)}, {at::tensor(std::vector<float>{1.0625f})});
  EXPECT_THAT(ValuesOf(x.grad()), ElementsAre(1.0f));
  EXPECT_THAT(ValuesOf(z.grad()), ElementsAre(1.0625f));
}

TEST_F(RoundingTest, NoGradientIsRoundedWhereNoneIsComputed) {
  const at::Tensor image = at::tensor(std::vector<float>{1, 2});
  EXPECT_TRUE(RoundGradient(rounder_, low_dv_, image).is_same(image));
}

TEST_F(RoundingTest, ReluMasksByItsOutputBeforeItIsRounded) {
  // 5e-5 becomes zero in fp(4,3,4), and is above zero all the same.
  const at::Tensor x = Leaf({5e-5f, -1, 2, 0});
  const at::Tensor y = RoundedRelu(rounder_, low_v_, x);
  EXPECT_THAT(ValuesOf(y), ElementsAre(0, 0, 2, 0));
  EXPECT_EQ(low_v_.counts.underflow, 1);
  torch::autograd::backward({y}, {at::tensor(std::vector<float>{3, kInfinity, 5, kInfinity})});
  EXPECT_THAT(ValuesOf(x.grad()), ElementsAre(3, 0, 5, 0));
}

TEST_F(RoundingTest, LogSoftmaxTakesItsRoundedOutputInTheGradient) {
  const std::vector<double> in = {0.3, -1.7, 2.2};
  const std::vector<double> gradient = {1, 2, -4};
  const at::Tensor x =
      at::tensor(std::vector<float>(in.begin(), in.end())).view({1, 3}).set_requires_grad(true);
  const at::Tensor y = RoundedLogSoftmax(rounder_, low_v_, x, /*dim=*/1);
  torch::autograd::backward(
      {y}, {at::tensor(std::vector<float>(gradient.begin(), gradient.end())).view({1, 3})});
  double sum = 0;
  for (const double value : in) sum += std::exp(static_cast<float>(value));
  for (int i = 0; i < 3; ++i) {
    const double exact = static_cast<float>(in[i]) - std::log(sum);
    const double rounded = OracleRound(exact, kernels::kLowForward, /*gradient=*/false);
    EXPECT_EQ(ValuesOf(y)[i], static_cast<float>(rounded));
    EXPECT_NEAR(ValuesOf(x.grad())[i], gradient[i] - std::exp(rounded) * -1, 1e-6);
  }
}

TEST_F(RoundingTest, Float32SitesTouchNothing) {
  RoundingSite site{.kind = TensorKind::kActivation};
  const at::Tensor x = Leaf({0.3f});
  EXPECT_TRUE(RoundActivation(rounder_, site, x).is_same(x));
  EXPECT_TRUE(RoundGradient(rounder_, site, x).is_same(x));
}

TEST_F(RoundingTest, NanStaysNanForwardAndBackward) {
  const at::Tensor x = Leaf({std::nanf(""), 1});
  const at::Tensor y = RoundActivation(rounder_, low_v_, at::mul(x, 1));
  EXPECT_TRUE(std::isnan(ValuesOf(y)[0]));
  const at::Tensor z = at::mul(RoundGradient(rounder_, low_dv_, y), 1);
  torch::autograd::backward({z}, {at::tensor(std::vector<float>{std::nanf(""), 1})});
  EXPECT_TRUE(std::isnan(ValuesOf(x.grad())[0]));
  EXPECT_EQ(ValuesOf(x.grad())[1], 1);
}

TEST(StochasticRounding, DependsOnSeedSiteAndStepButNotOnThreads) {
  const at::Tensor x = at::linspace(0.1, 3.3, 100000, at::kFloat);
  const auto round = [&](uint64_t seed, uint64_t stream, int64_t step) {
    Rounder rounder(kernels::Rounding::kStochastic, seed);
    rounder.BeginStep(step);
    RoundingSite site{
        .kind = TensorKind::kActivation, .format = kernels::kLowForward, .stream = stream};
    return rounder.Round(site, x, /*may_overwrite=*/false);
  };
  const at::Tensor first = round(1, 2, 3);
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  EXPECT_TRUE(at::equal(first, round(1, 2, 3)));
  at::set_num_threads(threads);
  EXPECT_FALSE(at::equal(first, round(2, 2, 3)));
  EXPECT_FALSE(at::equal(first, round(1, 3, 3)));
  EXPECT_FALSE(at::equal(first, round(1, 2, 4)));
  EXPECT_NEAR(first.mean().item<double>(), x.mean().item<double>(), 1e-3);
}

}  // namespace
}  // namespace mantissa::engine
