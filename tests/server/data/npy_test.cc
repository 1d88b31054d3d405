#include "server/data/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/data/npz.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::HasSubstr;

std::vector<int64_t> Count(int64_t n) {
  std::vector<int64_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

class NumpyFiles : public testing::TestWithParam<const char*> {};

TEST_P(NumpyFiles, IntegersOfEveryWidthAndByteOrderAreRead) {
  auto arrays = ReadNpz(TestdataPath(GetParam()), {});
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  for (const char* name : {"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", ">i4"}) {
    const NpyArray& array = arrays->at(name);
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3, 4})) << name;
    auto numbers = array.ToInt64();
    ASSERT_TRUE(numbers.ok()) << numbers.status();
    EXPECT_EQ(*numbers, Count(24)) << name;
  }
  EXPECT_EQ(arrays->at("negative").ToInt64()->at(23), -23);
}

TEST_P(NumpyFiles, FloatsOfEveryWidthAndOrderAreRead) {
  auto arrays = ReadNpz(TestdataPath(GetParam()), {});
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  for (const char* name : {"f2", "f4", "f8", ">f8", "fortran"}) {
    auto numbers = arrays->at(name).ToFloat();
    ASSERT_TRUE(numbers.ok()) << name << numbers.status();
    for (int i = 0; i < 24; ++i) EXPECT_EQ((*numbers)[i], static_cast<float>(i)) << name;
  }
}

TEST_P(NumpyFiles, ScalarsBoolsAndEmptyArraysKeepTheirShape) {
  auto arrays = ReadNpz(TestdataPath(GetParam()), {});
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_TRUE(arrays->at("scalar").shape.empty());
  EXPECT_EQ(*arrays->at("scalar").ToInt64(), std::vector<int64_t>{-7});
  EXPECT_EQ(arrays->at("bool").dtype(), "bool");
  EXPECT_EQ(arrays->at("bool").ToInt64()->at(1), 0);
  EXPECT_EQ(arrays->at("empty").shape, (std::vector<int64_t>{0, 5}));
  EXPECT_EQ(arrays->at("empty").elements(), 0);
  EXPECT_TRUE(arrays->at("empty").ToFloat()->empty());
}

INSTANTIATE_TEST_SUITE_P(StoredAndDeflated, NumpyFiles,
                         testing::Values("testdata/stored.npz", "testdata/deflated.npz"));

TEST(Npy, HalvesBecomeTheFloatsThatNumpyMakes) {
  auto arrays = ReadNpz(TestdataPath("testdata/halves.npz"), {});
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  std::vector<float> ours = *arrays->at("halves").ToFloat();
  std::vector<float> numpy = *arrays->at("as_float").ToFloat();
  ASSERT_EQ(ours.size(), numpy.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i], numpy[i]);
    EXPECT_EQ(std::signbit(ours[i]), std::signbit(numpy[i]));
  }
}

TEST(Npy, AllHeaderVersionsAreRead) {
  for (int version = 1; version <= 3; ++version) {
    std::string name = absl::StrCat("testdata/version", version, ".npy");
    auto array = ParseNpy(name, Testdata(name));
    ASSERT_TRUE(array.ok()) << array.status();
    EXPECT_EQ(array->ToFloat()->at(23), 23.0f);
  }
}

TEST(Npy, HostileFilesAreRefusedWithTheirReason) {
  constexpr HostileFile kFiles[] = {
      {"objects.npy", "of type '|O'"},
      {"strings.npy", "of type '<U2'"},
      {"structured.npy", "header can't be read"},
      {"truncated.npy", "tells of 48 bytes of data, 47 are there"},
      {"longer.npy", "tells of 48 bytes of data, 49 are there"},
      {"overflow.npy", "tells of more than 2^63 bytes"},
      {"overflow_zero.npy", "tells of more than 2^63 bytes"},
      {"negative.npy", "header can't be read"},
      {"code.npy", "header can't be read"},
      {"twice.npy", "header can't be read"},
      {"deep.npy", "header can't be read"},
      {"unclosed.npy", "header can't be read"},
      {"header_claims_more.npy", "header has 4294967295 bytes"},
  };
  for (const HostileFile& file : kFiles) {
    auto array = ParseNpy(file.file, Testdata(absl::StrCat("corpus/npy/", file.file)));
    EXPECT_EQ(array.status().code(), absl::StatusCode::kInvalidArgument) << file.file;
    EXPECT_THAT(array.status().message(), HasSubstr(file.error));
    EXPECT_THAT(array.status().message(), HasSubstr(file.file));
  }
}

TEST(Npy, NumbersOfTheWrongKindSayHowToConvert) {
  auto array = ParseNpy("f4.npy", Testdata("corpus/npy/f4.npy"));
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_THAT(array->ToInt64().status().message(), HasSubstr("astype('int64')"));
}

TEST(Npy, UnsignedNumbersBeyondSignedOnesAreRefused) {
  NpyArray array{.kind = 'u', .item_size = 8, .bytes = std::string(8, '\xff'), .name = "y"};
  EXPECT_THAT(array.ToInt64().status().message(), HasSubstr("above 2^63 - 1"));
}

}  // namespace
}  // namespace mantissa::data
