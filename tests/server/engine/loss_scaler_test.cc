#include "server/engine/loss_scaler.h"

#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

TEST(LossScaler, DoublesAfterTheIntervalOfGoodStepsInARow) {
  LossScaler scaler({.scale = 8, .growth_interval = 3});
  scaler.Update(false);
  scaler.Update(false);
  EXPECT_EQ(scaler.scale(), 8);
  scaler.Update(false);
  EXPECT_EQ(scaler.scale(), 16);
  for (int i = 0; i < 3; ++i) scaler.Update(false);
  EXPECT_EQ(scaler.scale(), 32);
}

TEST(LossScaler, HalvesAtASkipAndCountsAnew) {
  LossScaler scaler({.scale = 8, .growth_interval = 2});
  scaler.Update(false);
  scaler.Update(true);
  EXPECT_EQ(scaler.scale(), 4);
  scaler.Update(false);
  EXPECT_EQ(scaler.scale(), 4);
  scaler.Update(false);
  EXPECT_EQ(scaler.scale(), 8);
}

TEST(LossScaler, DivergesBelowItsFloor) {
  LossScaler scaler({.scale = LossScaler::kFloor * 2, .growth_interval = 1});
  scaler.Update(true);
  EXPECT_FALSE(scaler.diverged());
  scaler.Update(true);
  EXPECT_TRUE(scaler.diverged());
}

TEST(LossScaler, FixedScaleStaysAndDivergesOnlyAfterManySkipsInARow) {
  LossScaler scaler({.scale = 1, .dynamic = false});
  for (int i = 0; i < LossScaler::kMaxSkipsInRow - 1; ++i) scaler.Update(true);
  EXPECT_FALSE(scaler.diverged());
  scaler.Update(false);
  for (int i = 0; i < LossScaler::kMaxSkipsInRow - 1; ++i) scaler.Update(true);
  EXPECT_FALSE(scaler.diverged());
  scaler.Update(true);
  EXPECT_TRUE(scaler.diverged());
  EXPECT_EQ(scaler.scale(), 1);
}

TEST(LossScaler, GoesOnFromARestoredState) {
  LossScaler first({.scale = 8, .growth_interval = 3});
  first.Update(false);
  first.Update(false);
  LossScaler second({.scale = 1, .growth_interval = 3});
  second.Restore(first.state());
  second.Update(false);
  EXPECT_EQ(second.scale(), 16);
}

}  // namespace
}  // namespace mantissa::engine
