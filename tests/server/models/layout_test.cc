#include "server/models/layout.h"

#include "gtest/gtest.h"

namespace mantissa::models {
namespace {

TEST(Layout, ContiguousIgnoresStridesOfSingleEntries) {
  EXPECT_TRUE((Layout{{2, 3}, {3, 1}}.IsContiguous()));
  EXPECT_TRUE((Layout{{1, 3}, {99, 1}}.IsContiguous()));
  EXPECT_TRUE((Layout{{}, {}}.IsContiguous()));
  EXPECT_FALSE((Layout{{3, 2}, {1, 3}}.IsContiguous()));
  EXPECT_FALSE((Layout{{2, 3}, {0, 1}}.IsContiguous()));
}

// The answers are those of torch.as_strided(...).view(...).
TEST(Layout, ShowsWithoutCopyWhatPyTorchCanView) {
  EXPECT_TRUE((Layout{{2, 3, 4}, {12, 4, 1}}.CanShowAs({6, 4})));
  EXPECT_TRUE((Layout{{2, 3, 4}, {12, 4, 1}}.CanShowAs({24})));
  EXPECT_TRUE((Layout{{3, 2}, {1, 3}}.CanShowAs({3, 1, 2})));
  EXPECT_TRUE((Layout{{4, 6}, {12, 1}}.CanShowAs({4, 2, 3})));
  EXPECT_TRUE((Layout{{}, {}}.CanShowAs({1, 1})));
  EXPECT_TRUE((Layout{{0, 5}, {5, 1}}.CanShowAs({5, 0})));
  EXPECT_FALSE((Layout{{3, 2}, {1, 3}}.CanShowAs({6})));
  EXPECT_FALSE((Layout{{4, 6}, {12, 1}}.CanShowAs({24})));
  EXPECT_FALSE((Layout{{4, 6}, {12, 1}}.CanShowAs({8, 3})));
}

}  // namespace
}  // namespace mantissa::models
