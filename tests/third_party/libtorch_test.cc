#include <ATen/ATen.h>

#include "gtest/gtest.h"

namespace {

// d(sum of conv2d)/d(weight) counts, for each tap, the input elements that it sees.
TEST(LibTorch, ConvolutionBackwardRunsWithoutCuda) {
  at::Tensor input = at::ones({1, 1, 4, 4});
  at::Tensor weight = at::full({1, 1, 3, 3}, 2.0).requires_grad_(true);
  at::conv2d(input, weight).sum().backward();
  EXPECT_TRUE(at::equal(weight.grad(), at::full({1, 1, 3, 3}, 4.0)));
}

}  // namespace
