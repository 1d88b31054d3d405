#include "server/engine/optimizer.h"

#include <cmath>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

const std::vector<double> kStart = {0.5, -1.25, 3};
const std::vector<std::vector<double>> kGradients = {
    {0.1, -0.2, 0.3}, {-0.4, 0.5, 0.25}, {0.01, 0, -2}};

at::Tensor Floats(const std::vector<double>& values) {
  return at::tensor(std::vector<float>(values.begin(), values.end()));
}

void RunAll(Optimizer& optimizer, const at::Tensor& parameter, double learning_rate) {
  for (const std::vector<double>& gradient : kGradients) {
    optimizer.BeginStep();
    optimizer.Update(0, parameter, Floats(gradient), learning_rate);
  }
}

TEST(Sgd, FollowsTheFormulaOverThreeSteps) {
  const OptimizerOptions options{.momentum = 0.9, .weight_decay = 0.01};
  const at::Tensor parameter = Floats(kStart);
  const auto optimizer = MakeOptimizer(options, {parameter});
  RunAll(*optimizer, parameter, 0.1);
  for (size_t i = 0; i < kStart.size(); ++i) {
    double theta = kStart[i], buffer = 0;
    for (size_t step = 0; step < kGradients.size(); ++step) {
      const double d = kGradients[step][i] + 0.01 * theta;
      buffer = step == 0 ? d : 0.9 * buffer + d;
      theta -= 0.1 * buffer;
    }
    EXPECT_NEAR(parameter[i].item<double>(), theta, 1e-6);
    EXPECT_NEAR(optimizer->moments()[0].tensor(0)[i].item<double>(), buffer, 1e-6);
  }
}

TEST(AdamW, FollowsTheFormulaOverThreeSteps) {
  const OptimizerOptions options{.kind = planner::OptimizerKind::kAdamW, .weight_decay = 0.1};
  const at::Tensor parameter = Floats(kStart);
  const auto optimizer = MakeOptimizer(options, {parameter});
  RunAll(*optimizer, parameter, 0.01);
  for (size_t i = 0; i < kStart.size(); ++i) {
    double theta = kStart[i], first = 0, second = 0;
    for (size_t step = 0; step < kGradients.size(); ++step) {
      const double g = kGradients[step][i], t = static_cast<double>(step) + 1;
      theta -= 0.01 * 0.1 * theta;
      first = 0.9 * first + 0.1 * g;
      second = 0.999 * second + 0.001 * g * g;
      theta -= 0.01 * (first / (1 - std::pow(0.9, t))) /
               (std::sqrt(second / (1 - std::pow(0.999, t))) + 1e-8);
    }
    EXPECT_NEAR(parameter[i].item<double>(), theta, 1e-6);
  }
  EXPECT_EQ(optimizer->steps(), 3);
}

}  // namespace
}  // namespace mantissa::engine
