// Where rounding happens in a whole step, against the same step computed by hand in double.

#include "server/engine/step.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/tensor.h"
#include "base/random.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/engine/rounding_oracle.h"
#include "tests/server/engine/tiny_graph.h"

namespace mantissa::engine {
namespace {

using planner::TensorKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kBatch = 4;
using Matrix = std::vector<std::vector<double>>;

Matrix Zeros(size_t rows, size_t columns) { return Matrix(rows, std::vector<double>(columns, 0)); }

// The tiny graph forward and backward in double, rounded by OracleRound.
class Oracle {
 public:
  Oracle(const planner::Plan& plan, std::map<std::string, Matrix> masters, double scale)
      : plan_(plan), scale_(scale) {
    for (const auto& [name, master] : masters) {
      theta_[name] = Rounded(TensorKind::kParameter, name, master);
    }
  }

  void Run(const Matrix& images, const std::vector<int64_t>& labels) {
    const Matrix x = Rounded(TensorKind::kActivation, "input", images);
    const Matrix fc1 = V("fc1", Linear("fc1", x));
    Matrix relu_exact = fc1;
    for (auto& row : relu_exact) {
      for (double& value : row) value = std::max(value, 0.0);
    }
    const Matrix relu = V("relu", relu_exact);
    const Matrix fc2 = V("fc2", Linear("fc2", relu)), fc3 = V("fc3", Linear("fc3", relu));
    const Matrix sum = V("sum", Add(fc2, fc3));
    const Matrix logs = V("criterion.logsoftmax", LogSoftmax(sum));
    loss_unrounded = 0;
    for (int i = 0; i < kBatch; ++i) loss_unrounded -= logs[i][labels[i]] / kBatch;
    loss = V("criterion.nllloss", {{loss_unrounded}})[0][0];

    Matrix d_logs = Zeros(kBatch, 2);
    for (int i = 0; i < kBatch; ++i) d_logs[i][labels[i]] = -scale_ / kBatch;
    d_logs = DV("criterion.logsoftmax", d_logs);
    Matrix d_sum = Zeros(kBatch, 2);
    for (int i = 0; i < kBatch; ++i) {
      const double total = d_logs[i][0] + d_logs[i][1];
      for (int j = 0; j < 2; ++j) d_sum[i][j] = d_logs[i][j] - std::exp(logs[i][j]) * total;
    }
    d_sum = DV("sum", d_sum);
    // Two consumers of relu, each rounded, their sum not.
    const Matrix d_relu = Add(DV("relu", LinearBackward("fc2", relu, DV("fc2", d_sum))),
                              DV("relu", LinearBackward("fc3", relu, DV("fc3", d_sum))));
    Matrix d_fc1 = d_relu;
    for (int i = 0; i < kBatch; ++i) {
      for (int j = 0; j < 4; ++j) d_fc1[i][j] = relu_exact[i][j] > 0 ? d_relu[i][j] : 0;
    }
    LinearBackward("fc1", x, DV("fc1", d_fc1));
  }

  double loss = 0, loss_unrounded = 0;
  std::map<std::string, Matrix> dtheta;  // rounded, still scaled

 private:
  kernels::Format FormatOf(TensorKind kind, const std::string& name) const {
    for (size_t i = 0; i < plan_.tensors.tensors().size(); ++i) {
      const planner::Tensor& tensor = plan_.tensors.tensors()[i];
      if (tensor.kind == kind && tensor.name == name) return plan_.assignment.formats[i];
    }
    ADD_FAILURE() << name;
    return kernels::kFp32;
  }
  Matrix Rounded(TensorKind kind, const std::string& name, Matrix values) const {
    const kernels::Format format = FormatOf(kind, name);
    const bool gradient =
        kind == TensorKind::kActivationGradient || kind == TensorKind::kParameterGradient;
    for (auto& row : values) {
      for (double& value : row) {
        value = OracleRound(static_cast<float>(value), format, gradient);
      }
    }
    return values;
  }
  Matrix V(const std::string& name, const Matrix& values) const {
    return Rounded(TensorKind::kActivation, name, values);
  }
  Matrix DV(const std::string& producer, const Matrix& values) const {
    return Rounded(TensorKind::kActivationGradient, producer, values);
  }
  static Matrix Add(const Matrix& a, const Matrix& b) {
    Matrix sum = a;
    for (size_t i = 0; i < a.size(); ++i) {
      for (size_t j = 0; j < a[i].size(); ++j) sum[i][j] += b[i][j];
    }
    return sum;
  }
  static Matrix LogSoftmax(const Matrix& x) {
    Matrix y = x;
    for (auto& row : y) {
      double sum = 0;
      for (const double value : row) sum += std::exp(value);
      for (double& value : row) value -= std::log(sum);
    }
    return y;
  }
  Matrix Linear(const std::string& name, const Matrix& x) {
    const Matrix &weight = theta_[name + ".weight"], &bias = theta_[name + ".bias"];
    Matrix y = Zeros(x.size(), weight.size());
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t o = 0; o < weight.size(); ++o) {
        y[i][o] = bias[0][o];
        for (size_t k = 0; k < x[i].size(); ++k) y[i][o] += x[i][k] * weight[o][k];
      }
    }
    return y;
  }
  // Fills dtheta; returns the gradient of x, not rounded.
  Matrix LinearBackward(const std::string& name, const Matrix& x, const Matrix& dy) {
    const Matrix& weight = theta_[name + ".weight"];
    Matrix dx = Zeros(x.size(), x[0].size()), dw = Zeros(weight.size(), x[0].size()),
           db = Zeros(1, weight.size());
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t o = 0; o < weight.size(); ++o) {
        db[0][o] += dy[i][o];
        for (size_t k = 0; k < x[i].size(); ++k) {
          dw[o][k] += dy[i][o] * x[i][k];
          dx[i][k] += dy[i][o] * weight[o][k];
        }
      }
    }
    dtheta[name + ".weight"] = Rounded(TensorKind::kParameterGradient, name + ".weight", dw);
    dtheta[name + ".bias"] = Rounded(TensorKind::kParameterGradient, name + ".bias", db);
    return dx;
  }

  const planner::Plan& plan_;
  const double scale_;
  std::map<std::string, Matrix> theta_;
};

void SetFormat(planner::Plan& plan, TensorKind kind, const std::string& name,
               kernels::Format format) {
  for (size_t i = 0; i < plan.tensors.tensors().size(); ++i) {
    const planner::Tensor& tensor = plan.tensors.tensors()[i];
    if (tensor.kind == kind && tensor.name == name) plan.assignment.formats[i] = format;
  }
}

// Low, but for tensors here and there, so that a format taken from a neighbour shows.
planner::Plan MixedPlan() {
  planner::Plan plan = PlanWith(TinyGraph(), kernels::kLowForward, kernels::kLowForward,
                                kernels::kLowBackward, kernels::kHigh, kBatch);
  SetFormat(plan, TensorKind::kActivation, "fc1", kernels::kHigh);
  SetFormat(plan, TensorKind::kActivation, "sum", kernels::kFp32);
  SetFormat(plan, TensorKind::kParameter, "fc3.weight", kernels::kHigh);
  SetFormat(plan, TensorKind::kActivationGradient, "fc3", kernels::kHigh);
  SetFormat(plan, TensorKind::kActivationGradient, "sum", kernels::kHigh);
  return plan;
}

// Values that no format holds, so that every rounding changes them.
ModelState RandomState(const planner::Graph& graph, uint64_t seed) {
  ModelState state = EmptyState(graph);
  RandomStream numbers(seed, 0);
  for (at::Tensor& parameter : state.parameters) {
    float* const data = parameter.mutable_data_ptr<float>();
    for (int64_t i = 0; i < parameter.numel(); ++i) {
      data[i] = static_cast<float>(0.5 * numbers.Normal());
    }
  }
  return state;
}

Matrix MatrixOf(const at::Tensor& tensor) {
  const int64_t columns = tensor.size(-1), rows = tensor.numel() / columns;
  Matrix matrix = Zeros(rows, columns);
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    matrix[i / columns][i % columns] = tensor.const_data_ptr<float>()[i];
  }
  return matrix;
}

Batch BatchOf(const Matrix& images, const std::vector<int64_t>& labels) {
  std::vector<float> pixels;
  for (const auto& row : images) {
    for (const double pixel : row) pixels.push_back(static_cast<float>(pixel));
  }
  return {{at::tensor(pixels).view({static_cast<int64_t>(images.size()), -1})}, at::tensor(labels)};
}

std::map<std::string, Matrix> MastersOf(const planner::Graph& graph, const ModelState& state) {
  std::map<std::string, Matrix> masters;
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    masters[graph.value(graph.parameters()[i]).name] = MatrixOf(state.parameters[i]);
  }
  return masters;
}

constexpr double kScale = 1024;

StepOptions PlainSteps() {
  return {.batch_size = kBatch,
          .promotion_threshold = 2,
          .loss_scale = {.scale = kScale, .dynamic = false},
          .optimizer = {.momentum = 0, .weight_decay = 0}};
}

TEST(Step, RoundsEveryTensorWhereAndAsTheHandComputedStepDoes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    planner::Plan plan = MixedPlan();
    ModelState state = RandomState(plan.graph, seed);
    const std::map<std::string, Matrix> masters = MastersOf(plan.graph, state);
    Matrix images = Zeros(kBatch, 3);
    RandomStream numbers(seed, 1);
    for (auto& row : images) {
      for (double& pixel : row) pixel = static_cast<float>(numbers.Normal());
    }
    const std::vector<int64_t> labels = {0, 1, 1, 0};
    Oracle oracle(plan, masters, kScale);
    oracle.Run(images, labels);

    auto runner = StepRunner::Create(plan, state, PlainSteps());
    MANTISSA_CHECK_OK(runner);
    auto result = (*runner)->Step(1, BatchOf(images, labels), /*learning_rate=*/1);
    MANTISSA_CHECK_OK(result);
    EXPECT_EQ(result->loss, oracle.loss);
    EXPECT_NEAR(result->loss_unrounded, oracle.loss_unrounded, 1e-6);
    for (const auto& [name, after] : MastersOf(plan.graph, state)) {
      const Matrix &before = masters.at(name), &dtheta = oracle.dtheta.at(name);
      for (size_t i = 0; i < after.size(); ++i) {
        for (size_t j = 0; j < after[i].size(); ++j) {
          EXPECT_NEAR(after[i][j], before[i][j] - dtheta[i][j] / kScale, 1e-6)
              << name << " " << i << " " << j << " seed " << seed;
        }
      }
    }
  }
}

// Lists what is rounded in a step.
class Roundings : public RoundingProbe {
 public:
  explicit Roundings(const planner::Graph& graph) : graph_(graph) {}
  void OnRounding(const RoundingSite& site, const at::Tensor&, const at::Tensor&) override {
    std::string name = graph_.value(site.value).name;
    if (site.consumer != planner::kNoNode) name += "@" + graph_.node(site.consumer).name;
    names_[static_cast<int>(site.kind)].push_back(name);
  }
  std::vector<std::string> names(TensorKind kind) const { return names_[static_cast<int>(kind)]; }

 private:
  const planner::Graph& graph_;
  std::array<std::vector<std::string>, 4> names_;
};

TEST(Step, RoundsOncePerConsumerAndNeitherTheImageNorTheLossScale) {
  planner::Plan plan = MixedPlan();
  ModelState state = RandomState(plan.graph, 1);
  auto runner = StepRunner::Create(plan, state, PlainSteps());
  MANTISSA_CHECK_OK(runner);
  Roundings roundings(plan.graph);
  (*runner)->set_probe(&roundings);
  MANTISSA_CHECK_OK((*runner)->Step(1, BatchOf(Zeros(kBatch, 3), {0, 1, 0, 1}), 1));
  EXPECT_THAT(roundings.names(TensorKind::kActivation),
              ElementsAre("input", "fc1", "relu", "fc2", "fc3", "sum", "criterion.logsoftmax",
                          "criterion.nllloss"));
  // Weights whose layer's input has a gradient once more, for the backward pass.
  EXPECT_THAT(roundings.names(TensorKind::kParameter),
              ElementsAre("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight",
                          "fc3.bias", "fc3.weight", "fc2.weight"));
  EXPECT_THAT(roundings.names(TensorKind::kParameterGradient), SizeIs(6));
  EXPECT_THAT(roundings.names(TensorKind::kActivationGradient),
              ::testing::UnorderedElementsAre("criterion.logsoftmax@criterion.nllloss",
                                              "sum@criterion.logsoftmax", "fc2@sum", "fc3@sum",
                                              "relu@fc2", "relu@fc3", "fc1@relu"));
}

TEST(Step, SkipsWithInfiniteGradientsHalvesTheScaleAndStillPromotes) {
  planner::Plan plan = MixedPlan();
  ModelState state = RandomState(plan.graph, 2);
  // Overflows fp(4,3,4): one of 12 elements, and the tensor is small.
  state.parameters[0].mutable_data_ptr<float>()[0] = 100;
  const std::map<std::string, Matrix> before = MastersOf(plan.graph, state);
  StepOptions options = PlainSteps();
  options.promotion_threshold = 0.01;
  options.loss_scale = {.scale = 0x1p40, .dynamic = true, .growth_interval = 1};
  auto runner = StepRunner::Create(plan, state, options);
  MANTISSA_CHECK_OK(runner);
  const Batch batch = BatchOf(Matrix(kBatch, {0.5, 0.25, -1}), {0, 1, 0, 0});
  auto result = (*runner)->Step(1, batch, 0.1);
  MANTISSA_CHECK_OK(result);
  EXPECT_TRUE(result->skipped);
  EXPECT_EQ(result->loss_scale, 0x1p40);
  EXPECT_EQ((*runner)->scaler().scale(), 0x1p39);
  EXPECT_EQ(before, MastersOf(plan.graph, state));
  bool promoted = false;
  for (const PromotedTensor& tensor : result->promotion.promoted) {
    promoted = promoted || tensor.name == "fc1.weight";
  }
  EXPECT_TRUE(promoted);
  EXPECT_EQ(planner::FormatOf(plan, TensorKind::kParameter, plan.graph.parameters()[0]),
            kernels::kHigh);

  // It recovers: the scale halves until a step is good, and doubles after one good step.
  int64_t step = 2;
  while (result->skipped && step < 64) {
    result = (*runner)->Step(step++, batch, 0.1);
    MANTISSA_CHECK_OK(result);
  }
  EXPECT_FALSE(result->skipped);
  EXPECT_EQ((*runner)->scaler().scale(), result->loss_scale * 2);
  EXPECT_NE(before, MastersOf(plan.graph, state));
}

TEST(Step, PromotedTensorIsHighFromTheNextStepOnAndItsGradientStaysLow) {
  planner::Plan plan = PlanWith(TinyGraph(), kernels::kLowForward, kernels::kLowForward,
                                kernels::kLowBackward, kernels::kHigh, kBatch);
  ModelState state = RandomState(plan.graph, 3);
  StepOptions options = PlainSteps();
  options.promotion_threshold = 0.01;
  auto runner = StepRunner::Create(plan, state, options);
  MANTISSA_CHECK_OK(runner);
  const int64_t bits = (*runner)->promoter().bits();
  // The image saturates at 30; the operators behind it see that only once it is high.
  const Batch batch = BatchOf(Matrix(kBatch, {1000, 1000, 1000}), {0, 1, 0, 0});
  auto first = (*runner)->Step(1, batch, 0);
  MANTISSA_CHECK_OK(first);
  std::vector<std::string> names;
  for (const PromotedTensor& tensor : first->promotion.promoted) names.push_back(tensor.name);
  EXPECT_THAT(names, ::testing::Contains("input"));
  EXPECT_EQ(first->promotion.max_overflow_ratio, 1);
  EXPECT_GT((*runner)->promoter().bits(), bits);
  const planner::ValueId input = plan.graph.inputs()[0];
  EXPECT_EQ(planner::FormatOf(plan, TensorKind::kActivation, input), kernels::kHigh);
  EXPECT_EQ(planner::FormatOf(plan, TensorKind::kActivationGradient, input), kernels::kLowBackward);
  auto second = (*runner)->Step(2, batch, 0);
  MANTISSA_CHECK_OK(second);
  names.clear();
  for (const PromotedTensor& tensor : second->promotion.promoted) names.push_back(tensor.name);
  EXPECT_THAT(names, ::testing::Not(::testing::Contains("input")));
}

TEST(Step, WithoutRoundingNothingOverflowsAndNothingIsPromoted) {
  planner::Plan plan = MixedPlan();
  ModelState state = RandomState(plan.graph, 4);
  StepOptions options = PlainSteps();
  options.round = false;
  options.promotion_threshold = 0.01;
  auto runner = StepRunner::Create(plan, state, options);
  MANTISSA_CHECK_OK(runner);
  auto result = (*runner)->Step(1, BatchOf(Matrix(kBatch, {1000, 1, 1}), {0, 1, 0, 0}), 1e-6);
  MANTISSA_CHECK_OK(result);
  EXPECT_THAT(result->promotion.promoted, IsEmpty());
  EXPECT_EQ(result->loss, result->loss_unrounded);
}

TEST(Step, EvaluationRoundsAsToldAndChangesNothing) {
  planner::Plan plan = PlanWith(TinyGraph(), kernels::kLowForward, kernels::kLowForward,
                                kernels::kLowBackward, kernels::kHigh, kBatch);
  ModelState state = RandomState(plan.graph, 5);
  auto runner = StepRunner::Create(plan, state, PlainSteps());
  MANTISSA_CHECK_OK(runner);
  const auto before = MastersOf(plan.graph, state);
  const Batch batch = BatchOf(Matrix(kBatch, {0.3, -0.7, 1.1}), {0, 1, 0, 0});
  std::map<std::string, Matrix> masters = before;
  Oracle oracle(plan, masters, 1);
  oracle.Run(Matrix(kBatch, {0.3, -0.7, 1.1}), {0, 1, 0, 0});
  const auto assigned = (*runner)->Evaluate(batch, StepRunner::Evaluation::kAssigned);
  MANTISSA_CHECK_OK(assigned);
  EXPECT_NEAR(assigned->loss_unrounded, oracle.loss_unrounded, 1e-6);
  const auto values = (*runner)->Evaluate(batch, StepRunner::Evaluation::kAssignedValues);
  const auto fp32 = (*runner)->Evaluate(batch, StepRunner::Evaluation::kFp32);
  MANTISSA_CHECK_OK(values);
  MANTISSA_CHECK_OK(fp32);
  EXPECT_NE(values->loss_unrounded, assigned->loss_unrounded);
  EXPECT_NE(fp32->loss_unrounded, assigned->loss_unrounded);
  EXPECT_EQ(fp32->loss, fp32->loss_unrounded);
  EXPECT_EQ(before, MastersOf(plan.graph, state));
}

}  // namespace
}  // namespace mantissa::engine
