// Sentences about data as people write them, against the tensors that they mean.

#include "tests/models/phrase.h"

#include <string>
#include <vector>

#include "ATen/Functions.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::model_replay {
namespace {

using ::testing::ElementsAre;

// Two samples of 1x2x2 and of 1x4x4, with labels.
Files TwoFiles() {
  return {{"digits2",
           {{"x", at::arange(8).mul(32).view({2, 1, 2, 2})}, {"y", at::tensor({3, 1}, at::kLong)}}},
          {"digits4",
           {{"x", at::arange(32).view({2, 1, 4, 4})}, {"y", at::tensor({3, 1}, at::kLong)}}}};
}

at::Tensor Value(const std::string& text, const std::string& name) {
  Scope scope(TwoFiles());
  MANTISSA_CHECK_OK(scope.Define(text));
  const Definition* const definition = scope.Find(name);
  EXPECT_NE(definition, nullptr) << text << " does not define " << name;
  return definition == nullptr ? at::Tensor() : definition->value;
}

at::Tensor Pixels() { return TwoFiles()[0].second.at("x"); }

void ExpectEqual(const at::Tensor& seen, const at::Tensor& wanted) {
  ASSERT_EQ(seen.sizes(), wanted.sizes());
  ASSERT_EQ(seen.scalar_type(), wanted.scalar_type());
  EXPECT_TRUE(seen.equal(wanted)) << seen << wanted;
}

TEST(Phrase, DividesBytesOnceInFloat) {
  const at::Tensor wanted = Pixels().to(at::kFloat).div(255.0f);
  for (const char* const text : {"x = u8/255 (float32), shape (N,1,2,2)", "x = (u8/255 as float32)",
                                 "x = digits2 u8/255 (N,1,2,2)", "x = digits2.npz x / 255",
                                 "x = u8 / 255, float32 [the usual]"}) {
    SCOPED_TRACE(text);
    ExpectEqual(Value(text, "x"), wanted);
  }
}

TEST(Phrase, RepeatsOneChannelToThree) {
  const at::Tensor wanted = Pixels().to(at::kFloat).div(255.0f).expand({2, 3, 2, 2});
  for (const char* const text :
       {"x = (u8/255 as float32) repeated to 3 channels, shape (N,3,2,2)",
        "x = u8/255 repeated 3 times along channels", "x = (u8/255).repeat(1, 3, 1, 1)",
        "x = u8/255, shape (N,3,2,2)", "x = (u8/255).expand(-1,3,-1,-1)"}) {
    SCOPED_TRACE(text);
    ExpectEqual(Value(text, "x").contiguous(), wanted.contiguous());
  }
}

TEST(Phrase, ReadsInputAndTargetFromTwoFiles) {
  const std::string text = "x = digits2 u8/255 (N,1,2,2); target = digits4 u8/255 (N,1,4,4)";
  ExpectEqual(Value(text, "target"), TwoFiles()[1].second.at("x").to(at::kFloat).div(255.0f));
  ExpectEqual(Value(text, "x"), Pixels().to(at::kFloat).div(255.0f));
}

TEST(Phrase, CutsTokensAndTheirSuccessors) {
  const at::Tensor tokens = Pixels().floor_divide(16).view({2, 4});
  for (const char* const text : {"tokens = (u8 // 16 as int64), shape (N,4); input_ids = tokens[:, "
                                 ":-1]; target = tokens[:, 1:]",
                                 "tokens = u8//16 flattened to (N, 4) int64, input_ids = tokens[:, "
                                 ":-1], target = tokens[:, 1:]",
                                 "tokens = (u8 // 16).view(N, -1).long() and input_ids = tokens[:, "
                                 "0:3] and target = tokens[:, 1:4]",
                                 "tokens = long(floor(u8 / 16)), shape (N,4); input_ids, target = "
                                 "tokens[:, :-1], tokens[:, 1:]"}) {
    SCOPED_TRACE(text);
    ExpectEqual(Value(text, "input_ids"), tokens.slice(1, 0, 3));
    ExpectEqual(Value(text, "target"), tokens.slice(1, 1, 4));
  }
}

TEST(Phrase, ShiftsSequencesByOneToken) {
  const at::Tensor tokens = Pixels().view({2, 4});
  ExpectEqual(Value("ids = u8 shape (N,4); target = ids shifted left by one", "target"),
              at::roll(tokens, {-1}, {1}));
}

TEST(Phrase, MakesMasksAndOneHotLabels) {
  ExpectEqual(Value("target = (u8 > 127 as int64), shape (N,2,2)", "target"),
              Pixels().gt(127).to(at::kLong).view({2, 2, 2}));
  ExpectEqual(Value("target = labels one-hot (10 classes) as float32", "target"),
              at::one_hot(at::tensor({3, 1}, at::kLong), 10).to(at::kFloat));
}

TEST(Phrase, TakesNumbersForFilledTensors) {
  EXPECT_EQ(Value("attention_mask = ones (N,4) int64", "attention_mask").dim(), 0);
  EXPECT_EQ(Value("h = zeros(2, N, 8); c = zeros", "h").item<double>(), 0);
  EXPECT_EQ(Value("timestep = 10", "timestep").item<double>(), 10);
}

TEST(Phrase, FollowsPrecedenceAndBrackets) {
  ExpectEqual(Value("x = round(u8 * 16 / 255) int64", "x"),
              Pixels().mul(16).div(255).round().to(at::kLong));
  ExpectEqual(Value("x = (u8 + 2) * 3 % 7", "x"), Pixels().add(2).mul(3).remainder(7));
}

TEST(Phrase, TellsBytesFromWhatWasComputed) {
  Scope scope(TwoFiles());
  MANTISSA_CHECK_OK(scope.Define("a = digits4; b = u8 // 16; c = a shape (N,16)"));
  EXPECT_TRUE(scope.Find("a")->is_raw);
  EXPECT_FALSE(scope.Find("b")->is_raw);
  EXPECT_TRUE(scope.Find("c")->is_raw);
  EXPECT_TRUE(scope.Find("a")->is_used);
  EXPECT_FALSE(scope.Find("c")->is_used);
}

TEST(Phrase, RefusesSentencesThatNameNothingKnown) {
  Scope scope(TwoFiles());
  const absl::Status status = scope.Define("x = the usual thing");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("the usual thing"));
}

}  // namespace
}  // namespace mantissa::model_replay
