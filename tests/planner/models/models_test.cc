#include "planner/models/models.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/loss.h"
#include "planner/graph/operators.h"
#include "planner/graph/tensors.h"
#include "planner/models/builder.h"

namespace mantissa::planner {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BuiltinModels, AreFourAndSortedByName) {
  std::vector<std::string> names;
  for (const ModelInfo& info : BuiltinModels()) {
    names.push_back(info.name);
    EXPECT_TRUE(std::is_sorted(info.widths.begin(), info.widths.end())) << info.name;
  }
  EXPECT_THAT(names, ElementsAre("mobilenet_v2", "resnet18", "shufflenet_v2", "squeezenet"));
}

TEST(BuildModel, ListsTheModelsWhenTheNameIsUnknown) {
  const absl::Status status = BuildModel({.name = "resnet19"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("resnet19"), HasSubstr("builtin:resnet18"),
                                      HasSubstr("builtin:squeezenet")));
}

struct BadOption {
  ModelOptions options;
  std::string field, text;
};
class BadOptionTest : public testing::TestWithParam<BadOption> {};

TEST_P(BadOptionTest, IsRefusedWithItsFieldAndWhatIsAllowed) {
  const absl::Status status = BuildModel(GetParam().options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::vector<FieldViolation> violations = FieldViolationsOf(status);
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, GetParam().field);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    AllFields, BadOptionTest,
    testing::Values(
        BadOption{{.name = "resnet18", .width = 0.3}, "width", "allowed 0.1, 0.25, 0.5, 1"},
        BadOption{{.name = "squeezenet", .width = 0.75}, "width", "0.1, 0.15, 0.2, 0.25, 0.5, 1"},
        BadOption{{.name = "resnet18", .width = std::nan("")}, "width", "0.25"},
        BadOption{{.name = "resnet18", .width = -1}, "width", "0.25"},
        BadOption{{.name = "resnet18", .classes = 1}, "classes", "2 to 1000000"},
        BadOption{{.name = "resnet18", .classes = 1000001}, "classes", "2 to 1000000"},
        BadOption{{.name = "resnet18", .input_shape = {32, 32}}, "input_shape", "three numbers"},
        BadOption{{.name = "resnet18", .input_shape = {0, 32, 32}}, "input_shape", "1 to 4096"},
        BadOption{{.name = "resnet18", .input_shape = {3, 24, 32}}, "input_shape", "25 to 4096"},
        BadOption{{.name = "squeezenet", .input_shape = {3, 32, 31}}, "input_shape", "32 to 4096"},
        BadOption{{.name = "resnet18", .input_shape = {3, 4097, 32}}, "input_shape", "25 to 4096"},
        BadOption{{.name = "resnet18", .input_shape = {3, -32, 32}}, "input_shape", "25 to"}));

class EveryModelTest : public testing::TestWithParam<std::string> {
 protected:
  const ModelInfo& Info() const { return **FindBuiltinModel(GetParam()); }
};

TEST_P(EveryModelTest, BuildsAtItsSmallestInputAndNotBelow) {
  const int64_t size = Info().min_input_size;
  EXPECT_TRUE(BuildModel({.name = GetParam(), .input_shape = {1, size, size}}).ok());
  EXPECT_FALSE(BuildModel({.name = GetParam(), .input_shape = {1, size - 1, size}}).ok());
  EXPECT_FALSE(BuildModel({.name = GetParam(), .input_shape = {1, size, size - 1}}).ok());
}

TEST_P(EveryModelTest, ReturnsOneLogitAClassWhateverTheInputSize) {
  for (const std::vector<int64_t>& shape :
       std::vector<std::vector<int64_t>>{{1, 32, 32}, {3, 63, 40}, {3, 64, 64}, {3, 65, 224}}) {
    const Graph graph =
        BuildModel({.name = GetParam(), .width = 0.25, .classes = 17, .input_shape = shape})
            .value();
    EXPECT_EQ(graph.value(graph.output()).shape, (Shape{Dim::Batch(), 17}));
  }
}

TEST_P(EveryModelTest, NamesEveryValueAndNodeOnce) {
  for (const double width : Info().widths) {
    Graph graph = BuildModel({.name = GetParam(), .width = width}).value();
    MANTISSA_CHECK_OK(AttachLoss(graph, {}));
    std::set<std::string> names;
    for (const Value& value : graph.values()) {
      EXPECT_TRUE(names.insert(value.name).second) << value.name;
    }
  }
}

TEST_P(EveryModelTest, TakesAWidthThatWasComputedAndNotTyped) {
  EXPECT_TRUE(BuildModel({.name = GetParam(), .width = 0.3 - 0.2}).ok());
}

TEST_P(EveryModelTest, GivesEveryConvolutionAllItsArguments) {
  const Graph graph = BuildModel({.name = GetParam()}).value();
  for (const Node& node : graph.nodes()) {
    std::vector<std::string> names;
    for (const Argument& argument : node.args) names.push_back(argument.name);
    if (node.op == "aten::conv2d") {
      EXPECT_THAT(
          names, ElementsAre("input", "weight", "bias", "stride", "padding", "dilation", "groups"));
    } else if (node.op == "aten::batch_norm") {
      EXPECT_THAT(names, ElementsAre("input", "weight", "bias", "running_mean", "running_var",
                                     "training", "momentum", "eps", "cudnn_enabled"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, EveryModelTest,
                         testing::Values("mobilenet_v2", "resnet18", "shufflenet_v2",
                                         "squeezenet"));

std::map<std::string, Initializer> InitializersByName(const ModelOptions& options) {
  const Graph graph = BuildModel(options).value();
  const std::vector<Initializer> initializers = InitializersOf(options, graph).value();
  std::map<std::string, Initializer> by_name;
  for (size_t i = 0; i < initializers.size(); ++i) {
    by_name[graph.value(graph.parameters()[i]).name] = initializers[i];
  }
  EXPECT_EQ(by_name.size(), graph.parameters().size());
  return by_name;
}

void ExpectInitializer(const Initializer& actual, Initializer::Kind kind, double scale) {
  EXPECT_EQ(actual.kind, kind);
  EXPECT_DOUBLE_EQ(actual.scale, scale);
}

using Kind = Initializer::Kind;

TEST(InitializersOf, DrawResNetConvolutionsByFanOutAndItsLinearAsTorch) {
  auto by_name = InitializersByName({.name = "resnet18", .width = 0.1});
  // 8 output channels of 3x3; 52 features.
  ExpectInitializer(by_name["conv1.weight"], Kind::kNormal, std::sqrt(2.0 / (8 * 9)));
  ExpectInitializer(by_name["linear.weight"], Kind::kUniform, 1 / std::sqrt(52.0));
  ExpectInitializer(by_name["linear.bias"], Kind::kUniform, 1 / std::sqrt(52.0));
  ExpectInitializer(by_name["bn1.weight"], Kind::kOnes, 0);
  ExpectInitializer(by_name["bn1.bias"], Kind::kZeros, 0);
}

TEST(InitializersOf, CountDepthwiseFansAsTorchDoes) {
  auto mobile = InitializersByName({.name = "mobilenet_v2", .width = 0.1});
  // Weight [24, 1, 3, 3].
  ExpectInitializer(mobile["layers.1.conv2.weight"], Kind::kNormal, std::sqrt(2.0 / (24 * 9)));
  ExpectInitializer(mobile["linear.weight"], Kind::kNormal, 0.01);
  ExpectInitializer(mobile["linear.bias"], Kind::kZeros, 0);
  auto shuffle = InitializersByName({.name = "shufflenet_v2", .width = 0.1});
  ExpectInitializer(shuffle["layer1.0.conv1.weight"], Kind::kUniform, 1 / std::sqrt(9.0));
  ExpectInitializer(shuffle["linear.bias"], Kind::kUniform, 1 / std::sqrt(1024.0));
}

TEST(InitializersOf, DrawSqueezeNetWeightsByFanInAndItsBiasesAsTorch) {
  auto by_name = InitializersByName({.name = "squeezenet", .width = 0.1});
  ExpectInitializer(by_name["fire9.conv3.weight"], Kind::kNormal, std::sqrt(2.0 / (8 * 9)));
  ExpectInitializer(by_name["fire9.conv3.bias"], Kind::kUniform, 1 / std::sqrt(8.0 * 9));
}

TEST(RoundChannels, TakesTheNearestMultipleButNotMuchBelow) {
  EXPECT_EQ(RoundChannels(6.4, 0.1), 8);   // 6.4 is nearer to 8 than to 4
  EXPECT_EQ(RoundChannels(6.0, 0.1), 8);   // half up
  EXPECT_EQ(RoundChannels(1.6, 0.1), 4);   // at least the divisor
  EXPECT_EQ(RoundChannels(9.6, 0.1), 12);  // 8 would be less than 0.9 * 9.6
  EXPECT_EQ(RoundChannels(51.2, 0.1), 52);
  EXPECT_EQ(RoundChannels(12, 0.5), 16);  // divisor 8
}

}  // namespace
}  // namespace mantissa::planner
