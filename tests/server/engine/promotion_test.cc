#include "server/engine/promotion.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/engine/tiny_graph.h"

namespace mantissa::engine {
namespace {

using planner::TensorKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PromotionTest : public ::testing::Test {
 protected:
  int TensorNamed(TensorKind kind, const std::string& name) const {
    for (size_t i = 0; i < plan_.tensors.tensors().size(); ++i) {
      const planner::Tensor& tensor = plan_.tensors.tensors()[i];
      if (tensor.kind == kind && tensor.name == name) return static_cast<int>(i);
    }
    return -1;
  }

  planner::Plan plan_ = PlanWith(TinyGraph(), kernels::kLowForward, kernels::kLowForward,
                                 kernels::kLowBackward, kernels::kHigh, /*batch_size=*/10);
};

TEST_F(PromotionTest, ReachingTheThresholdIsEnoughAndBelowItIsNot) {
  Promoter promoter(plan_, 10, 0.01);
  const int relu = TensorNamed(TensorKind::kActivation, "relu");
  promoter.Observe(relu, 9, 1000);
  EXPECT_THAT(promoter.Promote().promoted, IsEmpty());
  // In float32 both are the float nearest to 0.01.
  promoter.Observe(relu, 10, 1000);
  const Promoter::Outcome outcome = promoter.Promote();
  ASSERT_THAT(outcome.promoted, SizeIs(1));
  EXPECT_EQ(outcome.promoted[0].name, "relu");
  EXPECT_FLOAT_EQ(outcome.promoted[0].overflow_ratio, 0.01f);
  EXPECT_FLOAT_EQ(outcome.max_overflow_ratio, 0.01f);
  EXPECT_EQ(plan_.assignment.formats[relu], kernels::kHigh);
}

TEST_F(PromotionTest, BitsGrowByTheTensorAloneAndItsGradientStaysLow) {
  Promoter promoter(plan_, 10, 0.01);
  const int64_t bits = promoter.bits();
  const int relu = TensorNamed(TensorKind::kActivation, "relu");
  promoter.Observe(relu, 1, 40);
  promoter.Promote();
  EXPECT_EQ(promoter.bits(), bits + 40 * 8);
  const int gradient = TensorNamed(TensorKind::kActivationGradient, "relu");
  EXPECT_EQ(plan_.assignment.formats[gradient], kernels::kLowBackward);
}

TEST_F(PromotionTest, AHighTensorIsPromotedOnceOnly) {
  Promoter promoter(plan_, 10, 0.01);
  const int weight = TensorNamed(TensorKind::kParameter, "fc1.weight");
  promoter.Observe(weight, 12, 12);
  EXPECT_THAT(promoter.Promote().promoted, SizeIs(1));
  promoter.Observe(weight, 12, 12);
  EXPECT_THAT(promoter.Promote().promoted, IsEmpty());
  EXPECT_THAT(promoter.promoted(), SizeIs(1));
}

TEST_F(PromotionTest, AThresholdAboveOneNeverPromotes) {
  Promoter promoter(plan_, 10, 2);
  promoter.Observe(TensorNamed(TensorKind::kActivation, "relu"), 40, 40);
  const Promoter::Outcome outcome = promoter.Promote();
  EXPECT_THAT(outcome.promoted, IsEmpty());
  EXPECT_EQ(outcome.max_overflow_ratio, 1);
}

TEST_F(PromotionTest, RestoredPromotionsCountAsTheirOwn) {
  Promoter promoter(plan_, 10, 0.01);
  const int64_t bits = promoter.bits();
  const int relu = TensorNamed(TensorKind::kActivation, "relu");
  promoter.Restore({relu});
  EXPECT_EQ(promoter.promoted(), std::vector<int>{relu});
  EXPECT_GT(promoter.bits(), bits);
}

}  // namespace
}  // namespace mantissa::engine
