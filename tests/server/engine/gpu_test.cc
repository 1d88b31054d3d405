#include "server/engine/gpu.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "server/engine/options.h"

namespace mantissa::engine {
namespace {

TEST(OpenDevice, TheCpuIsAlwaysThere) {
  const auto device = OpenDevice(DeviceChoice::kCpu);
  ASSERT_TRUE(device.ok());
  EXPECT_TRUE(device->is_cpu());
}

TEST(OpenDevice, WithoutAGpuAutoIsTheCpuAndCudaSaysWhatIsMissing) {
  if (GetGpuInfo().ok()) GTEST_SKIP() << "there is a GPU";
  const auto device = OpenDevice(DeviceChoice::kAuto);
  ASSERT_TRUE(device.ok());
  EXPECT_TRUE(device->is_cpu());
  const absl::Status status = OpenDevice(DeviceChoice::kCuda).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "there is no CUDA device")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "Train on the CPU")) << status;
}

}  // namespace
}  // namespace mantissa::engine
