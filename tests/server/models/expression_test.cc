#include "server/models/expression.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::models {
namespace {

using planner::Dim;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kBatch[] = "Symbol('s77', positive=True, integer=True)";
constexpr char kLength[] = "Symbol('s3', positive=True, integer=True)";

// "B" and "L" stand for the two symbols.
std::string Expand(const std::string& text) {
  std::string expanded;
  for (const char c : text) {
    if (c == 'B') {
      expanded += kBatch;
    } else if (c == 'L') {
      expanded += kLength;
    } else {
      expanded += c;
    }
  }
  return expanded;
}

absl::StatusOr<Dim> Evaluate(const std::string& text) {
  Symbols symbols;
  symbols.batch.insert("s77");
  symbols.numbers["s3"] = 12;
  return ToDim({.expression = Expand(text)}, symbols);
}

TEST(Expression, NumbersAndMultiplesOfTheBatchAreTold) {
  EXPECT_EQ(*Evaluate("Integer(16)"), Dim(16));
  EXPECT_EQ(*Evaluate("B"), Dim::Batch());
  EXPECT_EQ(*Evaluate("Mul(Integer(16), B)"), Dim::Batch(16));
  EXPECT_EQ(*Evaluate("Mul(L, B)"), Dim::Batch(12));
  EXPECT_EQ(*Evaluate("Add(L, Integer(-1))"), Dim(11));
  EXPECT_EQ(*Evaluate("Add(B, Mul(Integer(3), B))"), Dim::Batch(4));
}

TEST(Expression, DivisionsThatComeOutEvenAreTold) {
  EXPECT_EQ(*Evaluate("FloorDiv(Mul(Integer(8), B), Integer(4))"), Dim::Batch(2));
  EXPECT_EQ(*Evaluate("FloorDiv(Mul(Integer(9), B), B)"), Dim(9));
  EXPECT_EQ(*Evaluate("Mul(Pow(B, Integer(-1)), Integer(6), Pow(B, Integer(2)))"), Dim::Batch(6));
  EXPECT_EQ(*Evaluate("Mul(Rational(1, 3), L)"), Dim(4));
  EXPECT_EQ(*Evaluate("Add(FloorDiv(Add(L, Integer(-7)), Integer(2)), Integer(1))"), Dim(3));
  EXPECT_EQ(*Evaluate("Mod(Mul(Integer(6), B), Integer(3))"), Dim(0));
  EXPECT_EQ(*Evaluate("Max(Integer(1), B)"), Dim::Batch());
}

TEST(Expression, WhatIsNeitherIsRefusedByItsText) {
  for (const char* text : {"Add(B, Integer(1))", "Pow(B, Integer(2))", "Mod(B, Integer(2))",
                           "FloorDiv(B, Integer(2))"}) {
    EXPECT_THAT(std::string(Evaluate(text).status().message()),
                HasSubstr("a multiple of the batch size is needed"))
        << text;
  }
  EXPECT_THAT(std::string(Evaluate("Mul(Rational(1, 2), B)").status().message()),
              HasSubstr("no whole number"));
}

TEST(Expression, OverflowsUnknownFunctionsAndBadTextsAreRefused) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "Add(";
  for (const std::string& text :
       {std::string("Symbol('u0')"), std::string("Pow(Pow(B, Integer(16)), Integer(16))"),
        std::string("exec(Integer(1))"), std::string("Mod(B, Integer(0))"),
        std::string("Integer(1"), std::string("Integer(1))"), std::string("Symbol('"),
        std::string(5000, '1'), deep}) {
    EXPECT_FALSE(Evaluate(text).ok()) << text;
  }
}

TEST(Expression, SymbolsAreListed) {
  EXPECT_THAT(*SymbolsOf(Expand("Mul(L, Add(B, Integer(2)))")), ElementsAre("s3", "s77"));
}

}  // namespace
}  // namespace mantissa::models
