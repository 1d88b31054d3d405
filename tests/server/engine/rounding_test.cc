#include "server/engine/rounding.h"

#include <cmath>
#include <limits>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/engine/rounding_sites.h"
#include "tests/server/engine/rounding_oracle.h"
#include "tests/server/engine/tiny_graph.h"

namespace mantissa::engine {
namespace {

using planner::TensorKind;
using planner::TileAxis;
using ::testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> ValuesOf(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.contiguous();
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

std::vector<float> ValuesOf(const PackedTensor& tensor) {
  return ValuesOf(tensor.Unpack(Tile{}, at::kFloat));
}

class RoundingTest : public ::testing::TestWithParam<Storage> {
 protected:
  PackedTensor Store(RoundingSite& site, const at::Tensor& wide) {
    PackedTensor stored;
    rounder_.Store(site, Tile{}, wide, wide.sizes(), GetParam(), planner::MemoryKind::kActivations,
                   &stored);
    return stored;
  }
  PackedTensor Store(RoundingSite& site, const std::vector<float>& values) {
    return Store(site, at::tensor(values));
  }

  // Tile by tile.
  PackedTensor StoreTiles(Rounder& rounder, RoundingSite& site, const at::Tensor& wide,
                          TileAxis axis, int64_t extent, int64_t size) {
    PackedTensor stored;
    for (int64_t begin = 0; begin < extent; begin += size) {
      const Tile tile = {axis, extent, begin, std::min(begin + size, extent)};
      rounder.Store(site, tile, ViewOfTile(wide, tile).contiguous(), wide.sizes(), GetParam(),
                    planner::MemoryKind::kActivations, &stored);
    }
    return stored;
  }

  Rounder rounder_{kernels::Rounding::kNearestEven, /*seed=*/1};
  RoundingSite low_v_{.kind = TensorKind::kActivation, .format = kernels::kLowForward};
  RoundingSite high_v_{.kind = TensorKind::kActivation, .format = kernels::kHigh};
  RoundingSite low_dv_{.kind = TensorKind::kActivationGradient, .format = kernels::kLowBackward};
};

TEST_P(RoundingTest, ActivationSaturatesAndCountsWhatWasBeforeRounding) {
  const PackedTensor y = Store(low_v_, {0.3f, 31.0f, -100.0f, 1e-6f, 0.0f});
  EXPECT_THAT(ValuesOf(y), ElementsAre(0.3125f, 30.0f, -30.0f, 0.0f, 0.0f));
  EXPECT_EQ(low_v_.counts.overflow, 2);
  EXPECT_EQ(low_v_.counts.underflow, 1);
  EXPECT_EQ(low_v_.elements, 5);
}

TEST_P(RoundingTest, GradientOverflowsToWhatIsNotFinite) {
  const PackedTensor dv = Store(low_dv_, {1.1f, -2.7f, 122880.0f, 1e-9f});
  const std::vector<float> values = ValuesOf(dv);
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -2.5f);
  EXPECT_FALSE(std::isfinite(values[2]));
  EXPECT_EQ(values[3], 0.0f);
  EXPECT_EQ(low_dv_.counts.overflow, 1);
  EXPECT_EQ(low_dv_.counts.underflow, 1);
  EXPECT_TRUE(low_dv_.overflowed());
  Store(low_dv_, {1.1f});
  EXPECT_FALSE(low_dv_.overflowed());
}

TEST_P(RoundingTest, NanStaysNanInEveryFormatAndKind) {
  for (RoundingSite* site : {&low_v_, &high_v_, &low_dv_}) {
    const std::vector<float> values = ValuesOf(Store(*site, {std::nanf(""), 1}));
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_EQ(values[1], 1);
  }
}

TEST_P(RoundingTest, EveryValueIsWhatTheOracleRoundsItTo) {
  const at::Tensor x = at::linspace(-40, 40, 10007, at::kFloat);
  for (RoundingSite* site : {&low_v_, &high_v_}) {
    const std::vector<float> in = ValuesOf(x), out = ValuesOf(Store(*site, x));
    for (size_t i = 0; i < in.size(); ++i) {
      ASSERT_EQ(out[i], static_cast<float>(OracleRound(in[i], site->format, false))) << in[i];
    }
  }
}

TEST_P(RoundingTest, TilesAlongAnyAxisGiveTheWholeTensorAndItsCounts) {
  const at::Tensor x = at::linspace(-50, 50, 5 * 6 * 7 * 3, at::kFloat).view({5, 6, 7, 3});
  for (const auto mode : {kernels::Rounding::kNearestEven, kernels::Rounding::kStochastic}) {
    Rounder rounder(mode, /*seed=*/7);
    rounder.BeginStep(3);
    RoundingSite site = low_v_;
    const std::vector<float> whole = ValuesOf(StoreTiles(rounder, site, x, TileAxis::kNone, 1, 1));
    const kernels::RoundCounts counts = site.counts;
    EXPECT_GT(counts.overflow, 0);
    for (const auto& [axis, extent, size] : {std::tuple(TileAxis::kBatch, 5, 2),
                                             {TileAxis::kChannel, 6, 4},
                                             {TileAxis::kFlat, 630, 64}}) {
      const PackedTensor tiled = StoreTiles(rounder, site, x, axis, extent, size);
      EXPECT_EQ(ValuesOf(tiled), whole);
      EXPECT_EQ(site.counts.overflow, counts.overflow);
      EXPECT_EQ(site.counts.underflow, counts.underflow);
      EXPECT_EQ(site.elements, x.numel());
      const Tile tile = {axis, extent, size, std::min<int64_t>(2 * size, extent)};
      EXPECT_TRUE(at::equal(tiled.Unpack(tile, at::kFloat),
                            ViewOfTile(tiled.Unpack(Tile{}, at::kFloat), tile)));
    }
  }
}

TEST_P(RoundingTest, TilesAreAddedWhereTheyBelong) {
  const at::Tensor x = at::linspace(-4, 4, 2 * 3 * 5, at::kFloat).view({2, 3, 5});
  const PackedTensor stored = Store(high_v_, x);
  const Tile tile = {TileAxis::kChannel, 3, 1, 3};
  at::Tensor sum = at::linspace(0, 1, 20, at::kFloat).view({2, 2, 5});
  const at::Tensor expected = sum.add(ViewOfTile(stored.Unpack(Tile{}, at::kFloat), tile));
  stored.AddTo(tile, sum);
  EXPECT_TRUE(at::equal(sum, expected));
}

TEST_P(RoundingTest, Float32IsTakenOverWithoutACopy) {
  RoundingSite site{.kind = TensorKind::kActivation};
  const at::Tensor x = at::tensor(std::vector<float>{0.3f, kInfinity});
  const PackedTensor stored = Store(site, x);
  EXPECT_TRUE(stored.codes().is_same(x));
  EXPECT_EQ(site.counts.nonfinite, 0);
  rounder_.Count(site, stored.codes());
  EXPECT_EQ(site.counts.nonfinite, 1);
}

TEST_P(RoundingTest, APartOfATensorDoesNotKeepAllOfItAlive) {
  RoundingSite site{.kind = TensorKind::kActivation};
  const at::Tensor x = at::linspace(0, 1, 100, at::kFloat);
  const PackedTensor stored = Store(site, x.narrow(0, 10, 5));
  EXPECT_EQ(stored.codes().storage().nbytes(), 5 * sizeof(float));
  EXPECT_EQ(ValuesOf(stored), ValuesOf(x.narrow(0, 10, 5)));
}

INSTANTIATE_TEST_SUITE_P(Storages, RoundingTest,
                         ::testing::Values(Storage::kPacked, Storage::kEmulated));

TEST(PackedTensor, TakesTheBytesOfItsFormat) {
  const auto bytes = [](const kernels::Format& format, Storage storage) {
    const PackedTensor tensor = PackedTensor::Empty({10, 3}, format, storage, at::kCPU);
    return static_cast<int64_t>(tensor.codes().nbytes());
  };
  EXPECT_EQ(bytes(kernels::kLowForward, Storage::kPacked), 30);
  EXPECT_EQ(bytes(kernels::kHigh, Storage::kPacked), 60);
  EXPECT_EQ(bytes(kernels::kBf16, Storage::kPacked), 60);
  EXPECT_EQ(bytes(kernels::kFp32, Storage::kPacked), 120);
  EXPECT_EQ(bytes(kernels::kLowForward, Storage::kEmulated), 120);
}

// As on a GPU, but in memory of the CPU.
TEST(RoundingSites, CountsOnADeviceAreInTheSitesOnceTheyAreFetched) {
  const planner::Plan plan = PlanWith(TinyGraph(), kernels::kLowForward, kernels::kLowForward,
                                      kernels::kLowBackward, kernels::kHigh, /*batch_size=*/2);
  RoundingSites sites(plan.graph, plan.tensors);
  sites.SetFormats(plan.assignment.formats);
  sites.CountOn(at::kCPU);
  RoundingSite& input = *sites.activation(plan.graph.inputs()[0]);
  RoundingSite& weight = sites.parameter(0);
  Rounder rounder(kernels::Rounding::kNearestEven, /*seed=*/1);
  PackedTensor stored;
  const auto store = [&](RoundingSite& site, std::vector<float> values) {
    const at::Tensor wide = at::tensor(values);
    rounder.Store(site, Tile{}, wide, wide.sizes(), Storage::kPacked,
                  planner::MemoryKind::kActivations, &stored);
  };
  store(input, {40, 50, 1});
  store(weight, {1e-9f, 31});
  RoundingSite again = sites.Uncounted(input);
  store(again, {40, 50, 1});
  EXPECT_EQ(input.counts.overflow, 0);
  sites.FetchCounts();
  EXPECT_EQ(input.counts.overflow, 2);
  EXPECT_EQ(input.elements, 3);
  EXPECT_EQ(weight.counts.overflow, 1);
  EXPECT_EQ(weight.counts.underflow, 1);
  sites.ClearCounts();
  sites.FetchCounts();
  EXPECT_EQ(input.counts.overflow, 0);
}

TEST(StochasticRounding, DependsOnSeedSiteAndStepButNotOnThreads) {
  const at::Tensor x = at::linspace(0.1, 3.3, 100000, at::kFloat);
  const auto round = [&](uint64_t seed, uint64_t stream, int64_t step) {
    Rounder rounder(kernels::Rounding::kStochastic, seed);
    rounder.BeginStep(step);
    RoundingSite site{
        .kind = TensorKind::kActivation, .format = kernels::kLowForward, .stream = stream};
    PackedTensor stored;
    rounder.Store(site, Tile{}, x, x.sizes(), Storage::kPacked, planner::MemoryKind::kActivations,
                  &stored);
    return stored.Unpack(Tile{}, at::kFloat);
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
