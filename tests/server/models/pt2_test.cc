// Archives of real PyTorch (make_testdata.py) against what they must become, and the elements of
// their tensors.

#include "server/models/pt2.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/models/archive_builder.h"
#include "tests/server/models/graph_text.h"

namespace mantissa::models {
namespace {

using planner::DType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Path(absl::string_view name) {
  return JoinPath(std::getenv("TEST_SRCDIR"), "mantissa/tests/server/models/testdata", name);
}

Archive Read(absl::string_view name) {
  absl::StatusOr<Archive> archive = ReadPt2(Path(name), {});
  MANTISSA_CHECK_OK(archive);
  return *std::move(archive);
}

template <typename T>
std::vector<T> Elements(const Archive& archive, const StoredTensor& tensor) {
  std::vector<T> elements(static_cast<size_t>(tensor.Elements()));
  MANTISSA_CHECK_OK(archive.Read(
      tensor, {reinterpret_cast<char*>(elements.data()), elements.size() * sizeof(T)}));
  return elements;
}

class GoldenTest : public ::testing::TestWithParam<const char*> {};

// replay.py runs the same text in PyTorch and compares it with the model.
TEST_P(GoldenTest, ArchiveBecomesTheGraphWrittenDown) {
  const Archive archive = Read(std::string(GetParam()) + ".pt2");
  EXPECT_EQ(ToText(archive.graph), *RealFileSystem().Read(Path(std::string(GetParam()) + ".txt")));
  EXPECT_EQ(archive.torch_version, "2.11.0+cu130");
}

INSTANTIATE_TEST_SUITE_P(Pt2, GoldenTest,
                         ::testing::Values("views", "tied", "rotary", "recurrent", "auxiliary",
                                           "narrow"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Pt2, ParametersOfNarrowTypesAndAnyStridesAreReadAsFloat32InOrder) {
  const Archive archive = Read("narrow.pt2");
  ASSERT_EQ(archive.parameters.size(), 3);
  for (const StoredTensor& parameter : archive.parameters) {
    EXPECT_EQ(parameter.stored_dtype, DType::kBFloat16);
    EXPECT_EQ(parameter.dtype, DType::kFloat32);
  }
  EXPECT_THAT(Elements<float>(archive, archive.parameters[0]), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(Elements<float>(archive, archive.parameters[1]), ElementsAre(0, 1, 2));
  EXPECT_THAT(Elements<float>(archive, archive.parameters[2]), ElementsAre(4, 5));
}

TEST(Pt2, TiedWeightsAreOneParameterAndUnreadOnesAreKeptApart) {
  const Archive archive = Read("tied.pt2");
  ASSERT_EQ(archive.parameters.size(), 2);
  EXPECT_THAT(archive.parameters[0].names, ElementsAre("scale"));
  EXPECT_THAT(archive.parameters[1].names, ElementsAre("embedding.weight", "head.weight"));
  ASSERT_EQ(archive.unused.size(), 1);
  EXPECT_EQ(archive.unused[0].name(), "unused");
  EXPECT_THAT(Elements<float>(archive, archive.unused[0]), ElementsAre(1, 1, 1));
  EXPECT_THAT(Elements<float>(archive, archive.buffers[0]), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Elements<char>(archive, archive.constants[0]), ElementsAre(1, 0, 1, 1));
}

TEST(Pt2, StoredAndDeflatedEntriesWithSizesOf64BitsAreRead) {
  const ModelFiles files;
  std::vector<ZipItem> items = ItemsOf(files);
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].zip64 = i % 2 == 0;
    items[i].deflated = i % 3 == 0;
  }
  const std::string bytes = MakeZip(items);
  const absl::StatusOr<Archive> archive = ReadPt2Bytes("m.pt2", bytes, {});
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_EQ(archive->graph.name(), "m");
  EXPECT_THAT(Elements<float>(*archive, archive->parameters[1]), ElementsAre(0, -1, -2));
}

// The same tensor in other types: each is read as what it is.
TEST(Pt2, HalfPrecisionAndDoublePrecisionAreConvertedExactly) {
  struct {
    const char* type;
    std::string bytes;
    std::vector<float> values;
  } cases[] = {
      {"6", std::string("\x00\x3c\x01\x00\x00\xfc", 6), {1, 5.9604645e-8f, -INFINITY}},
      {"13", std::string("\x80\x3f\x01\x00\x80\xff", 6), {1, 9.1835e-41f, -INFINITY}},
      {"8", std::string("\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0\0", 24), {1, -2, 0}},
  };
  for (const auto& c : cases) {
    ModelFiles files;
    const std::string dtype = std::string("\"dtype\": ") + c.type;
    Replace(files.weights_config,
            "\"fc.bias\": {\"path_name\": \"weight_1\", \"is_param\": true, "
            "\"use_pickle\": false, \"tensor_meta\": {\"dtype\": 7",
            "\"fc.bias\": {\"path_name\": \"weight_1\", \"is_param\": true, "
            "\"use_pickle\": false, \"tensor_meta\": {" +
                dtype);
    Replace(files.program, "\"p_b\": {\"dtype\": 7", "\"p_b\": {" + dtype);
    files.bias = c.bytes;
    const std::string bytes = MakeArchive(files);
    const absl::StatusOr<Archive> archive = ReadPt2Bytes("m.pt2", bytes, {});
    ASSERT_TRUE(archive.ok()) << archive.status();
    const std::vector<float> values = Elements<float>(*archive, archive->parameters[1]);
    ASSERT_EQ(values.size(), c.values.size());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_FLOAT_EQ(values[i], c.values[i]) << c.type;
  }
}

TEST(Pt2, FileIsReadWhileItsArchiveIsInUse) {
  const TempFolder folder;
  const std::string path = JoinPath(folder.path(), "net.pt2");
  ASSERT_TRUE(RealFileSystem().WriteAtomically(path, MakeArchive(ModelFiles())).ok());
  const absl::StatusOr<Archive> archive = ReadPt2(path, {});
  ASSERT_TRUE(archive.ok()) << archive.status();
  const Archive moved = *archive;
  EXPECT_THAT(Elements<float>(moved, moved.parameters[0])[11], 11);
  EXPECT_THAT(moved.unused, IsEmpty());
  EXPECT_EQ(ReadPt2(JoinPath(folder.path(), "none.pt2"), {}).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mantissa::models
