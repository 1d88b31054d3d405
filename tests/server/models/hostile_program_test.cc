// Programs and lists of weights that mean harm or are broken, one thing at a time: each is refused,
// by name and reason.

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/server/models/archive_builder.h"
#include "tests/server/models/refusal.h"

namespace mantissa::models {
namespace {

// A change of a file: `from` becomes `to`, and the error must have `reason`.
struct Case {
  const char* name;
  const char* reason;
  std::string ModelFiles::*file;
  const char* from;
  const char* to;
};

constexpr auto kProgram = &ModelFiles::program;
constexpr auto kWeights = &ModelFiles::weights_config;

constexpr char kLinearSize[] =
    R"j("linear": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s0', positive=True, integer=True)")j";

const Case kCases[] = {
    // JSON.
    {"nan", "no JSON at byte", kProgram, "\"minor\": 17", "\"minor\": NaN"},
    {"nan_as_text", "not NaN", kProgram, R"({"as_tensor": {"name": "p_b"}}, "kind")",
     R"({"as_float": "NaN"}, "kind")"},
    {"infinite_literal", "no JSON at byte", kProgram, "\"minor\": 17", "\"minor\": Infinity"},
    {"unfinished", "no JSON at byte", kProgram, "\"module_call_graph\": []}}", ""},
    {"key_twice", "\"nodes\" occurs twice", kProgram, "\"nodes\": [",
     "\"nodes\": [], \"nodes\": ["},
    {"integer_beyond_64_bits", "beyond 64 bits", kProgram, R"([{"as_int": 3}])",
     R"([{"as_int": 99999999999999999999}])"},
    {"fraction_as_size", "a whole number is needed", kProgram, R"([{"as_int": 3}])",
     R"([{"as_int": 3.5}])"},
    {"bytes_that_are_no_text", "no JSON at byte", kProgram, "2.11.0", "\xff\xfe"},
    {"a_list_for_an_object", "an object is needed", kProgram, "\"metadata\": {}",
     "\"metadata\": []"},
    // The schema.
    {"other_schema", "is 7; schema 8", kProgram, "\"major\": 8", "\"major\": 7"},
    {"no_nodes", "has no \"nodes\"", kProgram, "\"nodes\"", "\"knots\""},
    {"no_target", "has no \"target\"", kProgram, "\"target\"", "\"tarjet\""},
    {"union_of_two", "has 2 fields", kProgram, R"({"as_tensor": {"name": "p_b"}}, "kind")",
     R"({"as_tensor": {"name": "p_b"}, "as_int": 1}, "kind")"},
    {"argument_of_unknown_kind", "as_custom_obj", kProgram,
     R"({"as_tensor": {"name": "p_b"}}, "kind")", R"({"as_custom_obj": {"name": "p_b"}}, "kind")"},
    {"custom_object_as_input", "only Python can make", kProgram, R"({"parameter": )",
     R"({"custom_obj": )"},
    {"decomposed", "run_decompositions", kProgram, R"({"user_output": )",
     R"({"buffer_mutation": )"},
    {"no_tensor_as_output", "returns none", kProgram,
     R"({"user_output": {"arg": {"as_tensor": {"name": "relu_"}}}})",
     R"({"user_output": {"arg": {"as_int": 1}}})"},
    // The graph.
    {"undefined_name", "nowhere, which is not made before it", kProgram,
     R"("name": "input", "arg": {"as_tensor": {"name": "x"}})",
     R"("name": "input", "arg": {"as_tensor": {"name": "nowhere"}})"},
    {"cycle", "relu_, which is not made before it", kProgram,
     R"("name": "input", "arg": {"as_tensor": {"name": "x"}})",
     R"("name": "input", "arg": {"as_tensor": {"name": "relu_"}})"},
    {"name_made_twice", "name is taken", kProgram,
     R"("outputs": [{"as_tensor": {"name": "linear"}}])",
     R"("outputs": [{"as_tensor": {"name": "x"}}])"},
    {"undefined_output", "made by no operator", kProgram,
     R"({"user_output": {"arg": {"as_tensor": {"name": "relu_"}}}})",
     R"({"user_output": {"arg": {"as_tensor": {"name": "missing"}}}})"},
    {"input_as_output", "returns one of its inputs", kProgram,
     R"({"user_output": {"arg": {"as_tensor": {"name": "relu_"}}}})",
     R"({"user_output": {"arg": {"as_tensor": {"name": "x"}}}})"},
    {"two_inputs_of_one_name", "two inputs are called x", kProgram,
     R"({"parameter": {"arg": {"name": "p_b"}, "parameter_name": "fc.bias"}})",
     R"({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})"},
    {"argument_twice", "is given twice", kProgram, R"({"name": "bias", "arg")",
     R"({"name": "weight", "arg")"},
    {"operator_of_another_library", "mine.evil", kProgram, "torch.ops.aten.linear.default",
     "torch.ops.mine.evil.default"},
    {"python_function", "none of PyTorch's own", kProgram, "torch.ops.aten.linear.default",
     "os.system"},
    {"data_dependent_control_flow", "depends on data", kProgram, "torch.ops.aten.linear.default",
     "torch.ops.higher_order.cond"},
    {"nested_without_a_graph", "holds no graph", kProgram,
     R"("torch.ops.aten.linear.default", "inputs": [)",
     R"("torch.ops.higher_order.wrap_with_set_grad_enabled", "inputs": [{"name": "", "arg": {"as_bool": false}},)"},
    {"write_that_reshapes", "in place", kProgram, "torch.ops.aten.relu_.default",
     "torch.ops.aten.t_.default"},
    {"write_to_an_out_argument", "out", kProgram, "torch.ops.aten.linear.default",
     "torch.ops.aten.linear.out"},
    // Sizes.
    {"negative_size", "0 or more", kProgram, R"([{"as_int": 3}])", R"([{"as_int": -3}])"},
    {"negative_stride_in_the_program", "0 or more", kProgram, R"("strides": [{"as_int": 1}])",
     R"("strides": [{"as_int": -1}])"},
    {"huge_size", "elements", kProgram, R"([{"as_int": 3}])",
     R"([{"as_int": 4611686018427387904}])"},
    {"product_that_overflows", "elements", kProgram, R"("sizes": [{"as_int": 3}, {"as_int": 4}])",
     R"("sizes": [{"as_int": 4294967296}, {"as_int": 4294967296}])"},
    {"seventeen_dimensions", "17 dimensions", kProgram, R"("sizes": [{"as_int": 3}])",
     R"("sizes": [{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1},{"as_int": 1}])"},
    {"more_sizes_than_strides", "sizes and", kProgram, R"("sizes": [{"as_int": 3}])",
     R"("sizes": [{"as_int": 3}, {"as_int": 1}])"},
    {"fixed_batch", "one batch size", kProgram,
     R"j("x": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s0', positive=True, integer=True)", "hint": {"as_int": 2}}})j",
     R"("x": {"dtype": 7, "sizes": [{"as_int": 2})"},
    {"expression_that_is_none", "can't be read", kProgram, kLinearSize,
     R"j("linear": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "__import__('os').system('id')")j"},
    {"expression_not_in_proportion", "not in proportion", kProgram, kLinearSize,
     R"j("linear": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Add(Symbol('s0', integer=True), Integer(1))")j"},
    {"unbacked_symbol", "can't be known", kProgram,
     R"j("linear": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s0', positive=True, integer=True)", "hint": {"as_int": 2}}})j",
     R"j("linear": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('u0', integer=True)", "hint": null}})j"},
    {"division_by_zero", "can't be known", kProgram, kLinearSize,
     R"j("linear": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "FloorDiv(Symbol('s0', integer=True), Integer(0))")j"},
    {"complex_numbers", "element type 10", kProgram, R"("linear": {"dtype": 7)",
     R"("linear": {"dtype": 10)"},
    {"no_such_type", "element type 99", kProgram, R"("linear": {"dtype": 7)",
     R"("linear": {"dtype": 99)"},
    {"sparse_tensor", "strided tensors", kProgram, R"("layout": 7)", R"("layout": 1)"},
    {"tensor_without_metadata", "says nothing of it", kProgram, R"("linear": {"dtype")",
     R"("liner": {"dtype")"},
    // Weights.
    {"pickled_tensor", "pickles are not read", kWeights, "\"use_pickle\": false",
     "\"use_pickle\": true"},
    {"weight_outside_the_archive", "does not have", kWeights, "weight_1", "../../../etc/passwd"},
    {"weight_of_unknown_name", "no bytes for fc.bias", kWeights, "\"fc.bias\"", "\"fc.bios\""},
    {"negative_stride", "0 or more", kWeights, R"("strides": [{"as_int": 1}])",
     R"("strides": [{"as_int": -1}])"},
    {"negative_offset", "0 or more", kWeights, R"("storage_offset": {"as_int": 0})",
     R"("storage_offset": {"as_int": -1})"},
    {"offset_past_the_end", "past the end", kWeights, R"("storage_offset": {"as_int": 0})",
     R"("storage_offset": {"as_int": 1})"},
    {"stride_past_the_end", "past the end", kWeights,
     R"("strides": [{"as_int": 4}, {"as_int": 1}])",
     R"("strides": [{"as_int": 5}, {"as_int": 1}])"},
    {"stride_that_overflows", "past the end", kWeights,
     R"("strides": [{"as_int": 4}, {"as_int": 1}])",
     R"("strides": [{"as_int": 9223372036854775807}, {"as_int": 1}])"},
    {"huge_weight_of_stride_0", "elements, the limit", kWeights, R"("sizes": [{"as_int": 3}])",
     R"("sizes": [{"as_int": 4611686018427387904}])"},
    {"wrong_shape", "another shape or type", kWeights, R"("sizes": [{"as_int": 3}])",
     R"("sizes": [{"as_int": 2}])"},
    {"wrong_type", "another shape or type", kWeights, R"({"dtype": 7, "sizes": [{"as_int": 3}])",
     R"({"dtype": 4, "sizes": [{"as_int": 3}])"},
    {"elements_in_one_place", "several elements in one place", kWeights,
     R"("strides": [{"as_int": 4}, {"as_int": 1}])",
     R"("strides": [{"as_int": 1}, {"as_int": 1}])"},
    {"parameters_that_overlap", "share a part of their memory", kWeights, "weight_1", "weight_0"},
    {"symbolic_weight", "sizes that are no numbers", kWeights, R"("sizes": [{"as_int": 3}])",
     R"j("sizes": [{"as_expr": {"expr_str": "Symbol('s0')", "hint": {"as_int": 3}}}])j"},
    {"control_characters_in_a_name", "can't be shown", kWeights, "\"fc.bias\"",
     "\"fc\\u001b[31m\""},
};
class HostileProgramTest : public ::testing::TestWithParam<Case> {};

TEST_P(HostileProgramTest, IsRefusedWithItsReason) {
  ModelFiles files;
  Replace(files.*GetParam().file, GetParam().from, GetParam().to);
  ExpectRefused(StatusOf(MakeArchive(files)), GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(Hostile, HostileProgramTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(HostileProgram, WriteToWhatIsKeptFromStepToStepIsRefused) {
  ModelFiles files;
  Replace(files.program, R"("metadata": {}}],)",
          R"("metadata": {}}, {"target": "torch.ops.aten.zero_.default", "inputs": [
              {"name": "self", "arg": {"as_tensor": {"name": "p_b"}}, "kind": 1}],
              "outputs": [{"as_tensor": {"name": "zero_"}}], "metadata": {}}],)");
  Replace(files.program, R"("tensor_values": {)",
          R"("tensor_values": {"zero_": {"dtype": 7, "sizes": [{"as_int": 3}],
              "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}, "layout": 7,
              "requires_grad": false},)");
  ExpectRefused(StatusOf(MakeArchive(files)), "the model writes to fc.bias");
}

TEST(HostileProgram, MoreOperatorsThanTheLimitAreRefused) {
  ExpectRefused(StatusOf(MakeArchive(ModelFiles()), {.nodes = 1}), "more than 1 operators");
}

}  // namespace
}  // namespace mantissa::models
