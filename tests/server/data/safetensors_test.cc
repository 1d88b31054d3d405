#include "server/data/safetensors.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SafetensorsTest : public ::testing::Test {
 protected:
  std::string Write(absl::string_view bytes) const {
    const std::string path = JoinPath(folder_.path(), "a.safetensors");
    MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(path, bytes));
    return path;
  }
  // A file of that header and so many bytes of data.
  static std::string File(absl::string_view header, size_t data_bytes) {
    uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return absl::StrCat(bytes, header, std::string(data_bytes, '\x01'));
  }
  absl::Status Open(absl::string_view bytes, const SafetensorsLimits& limits = {}) const {
    return Safetensors::Open(RealFileSystem(), Write(bytes), limits).status();
  }
  void ExpectRefused(absl::string_view header, size_t data_bytes, const std::string& why) const {
    const absl::Status status = Open(File(header, data_bytes));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << header;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << header;
    EXPECT_THAT(std::string(status.message()), HasSubstr("a.safetensors"));
  }

  TempFolder folder_;
};

TEST_F(SafetensorsTest, ComesBackAsItWasWritten) {
  const std::string path = JoinPath(folder_.path(), "b.safetensors");
  const std::vector<float> a = {1, -2.5f, 3, 4, 5, 6};
  const int64_t b = 77;
  const auto bytes = [](const auto* data, size_t count) {
    return absl::string_view(reinterpret_cast<const char*>(data), count * sizeof(*data));
  };
  MANTISSA_CHECK_OK(
      WriteSafetensors(RealFileSystem(), path,
                       {{"a", "F32", {2, 3}, bytes(a.data(), 6)}, {"b", "I64", {}, bytes(&b, 1)}},
                       {{"key", "value"}}));
  auto file = Safetensors::Open(RealFileSystem(), path);
  MANTISSA_CHECK_OK(file);
  EXPECT_EQ(file->metadata().at("key"), "value");
  std::vector<float> read(6);
  MANTISSA_CHECK_OK(file->ReadF32("a", {2, 3}, absl::MakeSpan(read)));
  EXPECT_EQ(read, a);
  int64_t number = 0;
  MANTISSA_CHECK_OK(file->ReadI64("b", {}, absl::MakeSpan(&number, 1)));
  EXPECT_EQ(number, 77);
  EXPECT_FALSE(RealFileSystem().Exists(path + ".tmp"));
  // Data are aligned for those who map the file.
  EXPECT_EQ(file->entries().at("a").begin % 8, 0);
}

TEST_F(SafetensorsTest, FilesOfThePublishedFormatAreRead) {
  auto file =
      Safetensors::Open(RealFileSystem(), "tests/reference/testdata/init/squeezenet.safetensors");
  MANTISSA_CHECK_OK(file);
  EXPECT_THAT(file->entries().at("conv1.weight").shape, ElementsAre(12, 3, 3, 3));
  EXPECT_EQ(file->entries().at("bn1.num_batches_tracked").dtype, "I64");
}

TEST_F(SafetensorsTest, WrongNameShapeOrTypeIsNamed) {
  auto file = Safetensors::Open(
      RealFileSystem(),
      Write(File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8)));
  MANTISSA_CHECK_OK(file);
  std::vector<float> out(2);
  EXPECT_THAT(std::string(file->ReadF32("b", {2}, absl::MakeSpan(out)).message()),
              HasSubstr("holds no tensor b"));
  EXPECT_THAT(std::string(file->ReadF32("a", {1, 2}, absl::MakeSpan(out)).message()),
              HasSubstr("tensor a is F32[2]; needed is F32[1, 2]"));
  std::vector<int64_t> numbers(1);
  EXPECT_THAT(std::string(file->ReadI64("a", {1}, absl::MakeSpan(numbers)).message()),
              HasSubstr("needed is I64[1]"));
}

TEST_F(SafetensorsTest, TruncatedFilesAreRefused) {
  EXPECT_THAT(std::string(Open("").message()), HasSubstr("too few for a header"));
  EXPECT_THAT(std::string(Open("1234567").message()), HasSubstr("too few for a header"));
  const std::string whole = File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Open(whole.substr(0, size)).ok()) << size;
  }
  EXPECT_TRUE(Open(whole).ok());
}

TEST_F(SafetensorsTest, HugeHeadersAndManyTensorsBreakALimit) {
  std::string huge = File("{}", 0);
  huge[6] = '\x7f';
  EXPECT_EQ(Open(huge).code(), absl::StatusCode::kResourceExhausted);
  const std::string two = File(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                               R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                               2);
  EXPECT_TRUE(Open(two).ok());
  EXPECT_EQ(Open(two, {.tensors = 1}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Open(File(R"({"a":{"dtype":"U8","shape":[1,1,1],"data_offsets":[0,1]}})", 1),
                 {.dimensions = 2})
                .code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(SafetensorsTest, HeadersThatAreNoObjectsAreRefused) {
  ExpectRefused("", 0, "not a JSON object");
  ExpectRefused("[]", 0, "not a JSON object");
  ExpectRefused("{\"a\":", 0, "not a JSON object");
  ExpectRefused(R"({"a":1})", 0, "has no dtype");
  ExpectRefused(R"({"__metadata__":{"a":1}})", 0, "is not a string");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[[[[[[1]]]]]],"data_offsets":[0,1]}})", 1,
                "nests too deep");
  ExpectRefused(std::string(100000, '['), 0, "");
}

TEST_F(SafetensorsTest, OffsetsOutsideOverlappingOrWithGapsAreRefused) {
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}})", 8, "no range");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "no range");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8, "no range");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e1]}})", 16, "no range");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8, "two numbers");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                12, "overlap");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "gap");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8, "end at byte 4");
}

TEST_F(SafetensorsTest, ShapesAndTypesThatDoNotFitAreRefused) {
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "needs 12");
  ExpectRefused(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8, "unknown dtype");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "not a size");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8,
                "overflows");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                1, "names a twice");
}

TEST_F(SafetensorsTest, AFailedWriteLeavesTheOldFileAndNoDraft) {
  const std::string path = JoinPath(folder_.path(), "folder");
  MANTISSA_CHECK_OK(RealFileSystem().MakeFolders(JoinPath(path, "inside")));
  EXPECT_FALSE(WriteSafetensors(RealFileSystem(), path, {}, {}).ok());
  EXPECT_FALSE(RealFileSystem().Exists(path + ".tmp"));
  EXPECT_TRUE(RealFileSystem().IsFolder(path));
}

}  // namespace
}  // namespace mantissa::data
