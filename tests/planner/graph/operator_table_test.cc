#include "planner/graph/operator_table.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;

// What exports of GPT-2, Llama, BERT, T5, ViT, Swin, ConvNeXt, ResNet, DenseNet, DeepLab, U-Net,
// EfficientNet, LSTM language models and super-resolution hold.
constexpr char kCommon[] =
    "_unsafe_view abs adaptive_avg_pool2d add addmm alias all arange avg_pool2d "
    "baddbmm batch_norm bernoulli bmm cat chunk clamp clamp_min clone "
    "constant_pad_nd contiguous conv1d conv2d conv3d conv_transpose2d cos cumsum "
    "detach diff div dropout einsum elu embedding empty eq exp expand expand_as "
    "feature_dropout fill flatten flip full full_like gather ge gelu glu group_norm "
    "gru gt hardsigmoid hardswish hardtanh index index_select instance_norm "
    "layer_norm le leaky_relu lift_fresh_copy linalg_vector_norm linear log "
    "log_softmax logical_and logical_not logical_or lstm lt masked_fill matmul max "
    "max_pool2d maximum mean min minimum mm mul narrow ne neg new_zeros "
    "normal_functional ones ones_like pad permute pixel_shuffle pow prelu rand randn "
    "relu relu6 repeat reshape roll rsqrt rsub scaled_dot_product_attention select "
    "select_scatter sigmoid silu sin slice slice_scatter softmax softplus split "
    "split_with_sizes sqrt squeeze stack sub sum t tanh to transpose tril triu "
    "type_as unbind unflatten unsqueeze upsample_bicubic2d upsample_bilinear2d "
    "upsample_nearest2d var view where zeros zeros_like";

TEST(OperatorTable, KnowsTheOperatorsOfCommonArchitectures) {
  for (const absl::string_view op : absl::StrSplit(kCommon, ' ')) {
    EXPECT_TRUE(TraitsOf(absl::StrCat("aten::", op)).known) << op;
  }
}

TEST(OperatorTable, SaysNothingOfOperatorsThatItLacks) {
  for (const char* op : {"aten::secret", "conv2d", "aten::", "", "aten::add__", "custom::add"}) {
    EXPECT_FALSE(TraitsOf(op).known) << op;
    EXPECT_FALSE(TraitsOf(op).gemm) << op;
  }
}

TEST(OperatorTable, KnowsInPlaceFormsAsTheOperatorItself) {
  EXPECT_EQ(&TraitsOf("aten::relu_"), &TraitsOf("aten::relu"));
  EXPECT_EQ(&TraitsOf("aten::add_"), &TraitsOf("aten::add"));
  // Ends in two, and is none.
  EXPECT_TRUE(TraitsOf("aten::__and__").known);
}

TEST(OperatorTable, ProductsStartGroupsAndNormsDoNot) {
  for (const char* op : {"aten::conv2d", "aten::linear", "aten::matmul", "aten::embedding",
                         "aten::lstm", "aten::scaled_dot_product_attention", "aten::einsum"}) {
    EXPECT_TRUE(TraitsOf(op).gemm) << op;
  }
  for (const char* op : {"aten::layer_norm", "aten::softmax", "aten::mul", "aten::add"}) {
    EXPECT_FALSE(TraitsOf(op).gemm) << op;
  }
}

TEST(OperatorTable, ViewsShowAllOfTheirInputAndPartsOfItAreNoViews) {
  for (const char* op : {"aten::view", "aten::permute", "aten::detach", "aten::clone"}) {
    EXPECT_TRUE(IsViewOperator(op)) << op;
  }
  for (const char* op :
       {"aten::slice", "aten::select", "aten::expand", "aten::split", "aten::to"}) {
    EXPECT_FALSE(IsViewOperator(op)) << op;
  }
  EXPECT_TRUE(TraitsOf("aten::transpose").reorders);
  EXPECT_FALSE(TraitsOf("aten::reshape").reorders);
  EXPECT_TRUE(TraitsOf("aten::detach").stops_gradient);
}

TEST(OperatorTable, WhatOnlyTakesAShapeDoesNotReadTheValue) {
  Graph graph("shapes");
  const ValueId x = graph.AddInput("x", DType::kFloat32, {Dim::Batch(), 3});
  const ValueId y = graph.AddInput("y", DType::kFloat32, {Dim::Batch(), 3});
  graph.AddNode({.name = "zeros", .op = "aten::zeros_like", .args = {{"self", ValueRef{x}}}},
                DType::kFloat32, {Dim::Batch(), 3});
  graph.AddNode({.name = "expanded",
                 .op = "aten::expand_as",
                 .args = {{"self", ValueRef{x}}, {"other", ValueRef{y}}}},
                DType::kFloat32, {Dim::Batch(), 3});
  EXPECT_THAT(ValueInputs(graph, 0), ElementsAre());
  EXPECT_THAT(ValueInputs(graph, 1), ElementsAre(x));
}

Node Random(const char* op, std::vector<Argument> args) {
  return {.name = "random", .op = op, .args = std::move(args)};
}

TEST(IsRandom, UnlessProbabilityIsZeroOrItIsNotTraining) {
  EXPECT_TRUE(IsRandom(Random("aten::dropout", {{"p", 0.1}, {"train", true}})));
  EXPECT_FALSE(IsRandom(Random("aten::dropout", {{"p", 0.0}, {"train", true}})));
  EXPECT_FALSE(IsRandom(Random("aten::dropout", {{"p", 0.1}, {"train", false}})));
  EXPECT_FALSE(IsRandom(Random("aten::scaled_dot_product_attention", {})));
  EXPECT_TRUE(IsRandom(Random("aten::scaled_dot_product_attention", {{"dropout_p", 0.1}})));
  EXPECT_FALSE(IsRandom(Random("aten::lstm", {{"dropout", 0.0}, {"train", true}})));
  EXPECT_TRUE(IsRandom(Random("aten::lstm", {{"dropout", 0.5}, {"train", true}})));
  EXPECT_TRUE(IsRandom(Random("aten::rand", {})));
  EXPECT_FALSE(IsRandom(Random("aten::relu", {})));
}

}  // namespace
}  // namespace mantissa::planner
