#include "planner/wire/graph_proto.h"

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "planner/models/models.h"

namespace mantissa::planner {
namespace {

// Every kind of value and argument.
Graph Everything() {
  Graph graph("everything");
  const ValueId x = graph.AddInput("x", DType::kFloat32, {Dim::Batch(), 4});
  const ValueId tokens = graph.AddInput("tokens", DType::kInt64, {Dim::Batch(2), 3});
  const ValueId w = graph.AddParameter("w", {4, 4});
  graph.Freeze(graph.AddParameter("frozen", {2}));
  const ValueId mean = graph.AddBuffer("mean", DType::kFloat64, {4});
  const ValueId mask = graph.AddConstant("mask", DType::kBool, {});
  const ValueId y = graph.AddNode(
      {.name = "a",
       .op = "aten::everything",
       .overload = "out",
       .args = {{"none", {}},
                {"bool", true},
                {"int", int64_t{-7}},
                {"double", 0.5},
                {"text", std::string("mean")},
                {"dtype", DType::kBFloat16},
                {"value", ValueRef{x}},
                {"dim", Dim::Batch(3)},
                {"bools", std::vector<bool>{true, false}},
                {"ints", std::vector<int64_t>{1, -1}},
                {"doubles", std::vector<double>{0.25}},
                {"values", std::vector<ValueRef>{{w}, {kNoValue}, {tokens}, {mean}, {mask}}},
                {"shape", Shape{Dim::Batch(), 4}}}},
      DType::kFloat32, {Dim::Batch(), 4});
  // A constant that comes late, as tensors lifted out of the code do.
  graph.AddConstant("late", DType::kUInt8, {1});
  const std::vector<ValueId> parts =
      graph.AddNode({.name = "split", .op = "aten::split", .args = {{"self", ValueRef{y}}}},
                    {Graph::Output{DType::kFloat32, {Dim::Batch(), 2}, y}, std::nullopt,
                     Graph::Output{DType::kFloat16, {Dim::Batch(), 1}, kNoValue}});
  graph.SetOutput(parts[2]);
  return graph;
}

TEST(GraphProto, GivesBackTheSameGraphBitByBit) {
  const internal::v1::Graph message = GraphToProto(Everything());
  EXPECT_EQ(message.values_size(), 10);
  EXPECT_EQ(message.nodes(1).outputs(1), kNoValue);
  const Graph graph = GraphFromProto(message).value();
  EXPECT_EQ(GraphToProto(graph).SerializeAsString(), message.SerializeAsString());
  EXPECT_EQ(graph.inputs().size(), 2u);
  EXPECT_EQ(graph.parameters().size(), 2u);
  EXPECT_EQ(graph.constants().size(), 2u);
  EXPECT_TRUE(graph.value(graph.parameters()[1]).frozen);
  EXPECT_EQ(graph.node(0).args[11].value, Everything().node(0).args[11].value);
  EXPECT_EQ(graph.node(0).args[12].value, Everything().node(0).args[12].value);
  EXPECT_EQ(graph.value(graph.output()).name, "split.2");
}

TEST(GraphProto, CarriesEveryBuiltInModel) {
  for (const ModelInfo& info : BuiltinModels()) {
    const Graph graph = BuildModel({.name = info.name}).value();
    const internal::v1::Graph message = GraphToProto(graph);
    const absl::StatusOr<Graph> again = GraphFromProto(message);
    ASSERT_TRUE(again.ok()) << info.name << ": " << again.status();
    EXPECT_EQ(GraphToProto(*again).SerializeAsString(), message.SerializeAsString()) << info.name;
  }
}

struct WrongCase {
  std::string says;
  std::function<void(internal::v1::Graph&)> change;
};

TEST(GraphProto, RefusesWhatAGraphCannotBe) {
  const WrongCase cases[] = {
      {"its output is not there", [](auto& g) { g.set_output(10); }},
      {"its output is not there", [](auto& g) { g.set_output(-1); }},
      {"value 0 has no name", [](auto& g) { g.mutable_values(0)->clear_name(); }},
      {"value 0 has no name", [](auto& g) { g.mutable_values(0)->set_name("\xff"); }},
      {"value 1 has a name that is taken", [](auto& g) { g.mutable_values(1)->set_name("x"); }},
      {"value 0 has no type", [](auto& g) { g.mutable_values(0)->clear_data_type(); }},
      {"value 0 is made by no operator", [](auto& g) { g.mutable_values(0)->clear_kind(); }},
      {"value 0 is made by no operator",
       [](auto& g) { g.mutable_values(0)->set_kind(internal::v1::VALUE_KIND_COMPUTED); }},
      {"value 0 has no operator", [](auto& g) { g.mutable_values(0)->set_producer(0); }},
      {"value 2 is a parameter that is not float32",
       [](auto& g) { g.mutable_values(2)->set_data_type(v1::DATA_TYPE_INT64); }},
      {"value 0 has sizes out of range",
       [](auto& g) {
         g.mutable_values(0)->mutable_shape()->mutable_dimensions(1)->set_factor(-1);
       }},
      {"value 0 has sizes out of range",
       [](auto& g) {
         g.mutable_values(0)->mutable_shape()->mutable_dimensions(1)->set_factor(int64_t{1} << 43);
       }},
      {"value 0 has sizes out of range",
       [](auto& g) {
         for (int i = 0; i < 4; ++i) {
           auto* dim = g.mutable_values(0)->mutable_shape()->add_dimensions();
           dim->set_factor(1);
           dim->set_times_batch(true);
         }
       }},
      {"value 6 is not what its operator makes",
       [](auto& g) { g.mutable_values(6)->set_producer(1); }},
      {"value 8 is not what its operator makes",
       [](auto& g) { g.mutable_values(8)->set_alias_of(9); }},
      {"operator 0 has no name", [](auto& g) { g.mutable_nodes(0)->clear_name(); }},
      {"operator 1 has no name of its own", [](auto& g) { g.mutable_nodes(1)->set_name("a"); }},
      {"operator 0 has no ATen operator", [](auto& g) { g.mutable_nodes(0)->clear_op(); }},
      {"value 6 has no operator", [](auto& g) { g.mutable_nodes(0)->set_outputs(0, 1000); }},
      {"operator 0 makes values of other names",
       [](auto& g) { g.mutable_values(6)->set_name("b"); }},
      {"operator 0 reads a value before it is made",
       [](auto& g) { g.mutable_nodes(0)->mutable_arguments(6)->set_value_ref(6); }},
      {"operator 0 reads a value before it is made",
       [](auto& g) {
         g.mutable_nodes(0)->mutable_arguments(11)->mutable_value_ref_list()->set_values(0, -2);
       }},
      {"operator 0 has an unknown type as an argument",
       [](auto& g) {
         g.mutable_nodes(0)->mutable_arguments(5)->set_data_type_value(v1::DATA_TYPE_UNSPECIFIED);
       }},
      {"value 10 is not there", [](auto& g) { g.mutable_nodes(1)->add_outputs(10); }},
      {"operator 1 makes values out of order",
       [](auto& g) { g.mutable_nodes(1)->set_outputs(2, 8); }},
  };
  for (const WrongCase& wrong : cases) {
    internal::v1::Graph message = GraphToProto(Everything());
    wrong.change(message);
    const absl::Status status = GraphFromProto(message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong.says;
    EXPECT_TRUE(absl::StrContains(status.message(), wrong.says)) << wrong.says << ": " << status;
  }
}

}  // namespace
}  // namespace mantissa::planner
