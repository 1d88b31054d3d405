#include <vector>

#include "gtest/gtest.h"
#include "tests/third_party/add_one.h"

namespace {

constexpr int kInsufficientDriver = 35;  // cudaErrorInsufficientDriver
constexpr int kNoDevice = 100;           // cudaErrorNoDevice

TEST(Cuda, KernelRunsOrSaysThatThereIsNoGpu) {
  std::vector<float> values = {0.0f, 1.0f, 2.0f};
  const int error = mantissa::tests::AddOne(values.data(), values.size());
  if (error == kInsufficientDriver || error == kNoDevice) {
    EXPECT_EQ(values, (std::vector<float>{0.0f, 1.0f, 2.0f}));
    return;
  }
  ASSERT_EQ(error, 0);
  EXPECT_EQ(values, (std::vector<float>{1.0f, 2.0f, 3.0f}));
}

}  // namespace
