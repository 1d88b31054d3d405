#include "server/engine/torch_error.h"

#include <new>
#include <stdexcept>
#include <string>

#include "ATen/ops/empty.h"
#include "ATen/ops/ones.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

using ::testing::HasSubstr;

TEST(CatchTorch, MemoryThatRanOutIsResourceExhaustedWithARemedy) {
  const auto huge =
      CatchTorch([]() -> absl::StatusOr<at::Tensor> { return at::empty({int64_t{1} << 50}); });
  EXPECT_EQ(huge.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(huge.status().message()), HasSubstr("Use a smaller batch"));
  const absl::Status standard = CatchTorch([]() -> absl::Status { throw std::bad_alloc(); });
  EXPECT_EQ(standard.code(), absl::StatusCode::kResourceExhausted);
}

TEST(CatchTorch, OtherExceptionsAreInternalWithTheirText) {
  const absl::Status shapes = CatchTorch([]() -> absl::Status {
    at::ones({2, 3}).add(at::ones({4, 5}));
    return absl::OkStatus();
  });
  EXPECT_EQ(shapes.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(shapes.message()), HasSubstr("must match the size"));
  const absl::Status other =
      CatchTorch([]() -> absl::Status { throw std::runtime_error("no such luck"); });
  EXPECT_THAT(std::string(other.message()), HasSubstr("no such luck"));
}

TEST(CatchTorch, StatusesPassUnchanged) {
  const absl::Status status = CatchTorch([] { return absl::NotFoundError("gone"); });
  EXPECT_EQ(status, absl::NotFoundError("gone"));
}

}  // namespace
}  // namespace mantissa::engine
