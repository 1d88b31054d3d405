#include "server/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "server/data/npz.h"
#include "tests/server/data/read_samples.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A file of testdata/datasets by its name without ".npz".
SourceFile NpzFile(absl::string_view name) {
  const std::string file = absl::StrCat(name, ".npz");
  return {file, TestdataPath(absl::StrCat("testdata/datasets/", file))};
}

absl::StatusOr<LoadedDataset> LoadNpz(absl::string_view name, const LoadOptions& options = {}) {
  return LoadDataset({NpzFile(name)}, options);
}

LoadedDataset MustLoadNpz(absl::string_view name, const LoadOptions& options = {}) {
  absl::StatusOr<LoadedDataset> dataset = LoadNpz(name, options);
  MANTISSA_CHECK_OK(dataset);
  return *std::move(dataset);
}

class DatasetTest : public testing::Test {
 protected:
  // Writes `content` into a file that the data set has under `name`.
  SourceFile Write(absl::string_view name, absl::string_view content) {
    std::string path = JoinPath(folder_.path(), absl::StrCat("blob", count_++));
    MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(path, content));
    return {std::string(name), path};
  }
  SourceFile Corpus(absl::string_view name, absl::string_view file) {
    return Write(name, Testdata(absl::StrCat("corpus/", file)));
  }

  TempFolder folder_;
  int count_ = 0;
};

TEST_F(DatasetTest, NpzLayoutsGiveTheSameImages) {
  LoadedDataset split = MustLoadNpz("split");
  EXPECT_EQ(split.format, "npz");
  EXPECT_EQ(split.train->size(), 7);
  EXPECT_EQ(split.test->size(), 3);
  EXPECT_THAT(split.inputs[0].shape, ElementsAre(3, 4, 5));
  EXPECT_EQ(split.target.classes, 3);
  EXPECT_THAT(LabelsOf(split, *split.test), ElementsAre(1, 2, 0));
  // All ten images in their order, whatever the seed picks for testing.
  LoadOptions options{.test_fraction = 0.3};
  for (const char* name : {"nhwc", "nhwc_contiguous"}) {
    LoadedDataset other = MustLoadNpz(name, options);
    ASSERT_EQ(other.train->size(), 7) << name;
    LoadedDataset again = MustLoadNpz("nhwc", options);
    EXPECT_EQ(ValuesOf<uint8_t>(other, *other.train), ValuesOf<uint8_t>(again, *again.train))
        << name;
    std::vector<uint8_t> all = ValuesOf<uint8_t>(split, *split.train);
    const std::vector<uint8_t> tested = ValuesOf<uint8_t>(split, *split.test);
    all.insert(all.end(), tested.begin(), tested.end());
    const std::vector<uint8_t> images = ValuesOf<uint8_t>(other, *other.train);
    const size_t size = 3 * 4 * 5;
    for (auto image = images.begin(); image != images.end(); image += size) {
      EXPECT_NE(std::search(all.begin(), all.end(), image, image + size), all.end());
    }
  }
  LoadedDataset gray = MustLoadNpz("nhw");
  EXPECT_THAT(gray.inputs[0].shape, ElementsAre(1, 4, 5));
}

TEST_F(DatasetTest, CustomaryArrayNamesAreUnderstood) {
  EXPECT_EQ(MustLoadNpz("upper_case").train->size(), 6);  // 7, one of them for testing
  LoadedDataset medmnist = MustLoadNpz("medmnist");
  EXPECT_EQ(medmnist.train->size(), 6);
  EXPECT_EQ(medmnist.test->size(), 3);
}

TEST_F(DatasetTest, StatisticsAreThoseThatNumpyComputes) {
  LoadedDataset dataset = MustLoadNpz("nchw", {.test_fraction = 0.01});
  auto arrays = ReadNpz(TestdataPath("testdata/datasets/nchw.npz"), {});
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  // One image of ten is for testing: take the statistics of all with a train-only file instead.
  ASSERT_EQ(dataset.train->size(), 9);
  EXPECT_EQ(dataset.stddev[1], 1.0f);  // no deviation
  EXPECT_FLOAT_EQ(dataset.mean[1], 77.0f / 255);
  const std::vector<uint8_t> pixels = ValuesOf<uint8_t>(dataset, *dataset.train);
  double sum = 0, squares = 0;
  for (int64_t n = 0; n < 9; ++n) {
    for (int64_t p = 0; p < 20; ++p) {
      double value = pixels[n * 60 + p] / 255.0;
      sum += value;
      squares += value * value;
    }
  }
  const double mean = sum / 180;
  EXPECT_NEAR(dataset.mean[0], mean, 1e-6);
  EXPECT_NEAR(dataset.stddev[0], std::sqrt(squares / 180 - mean * mean), 1e-6);
  // Over all images, as NumPy had them.
  EXPECT_NEAR(dataset.mean[2], arrays->at("mean").ToFloat()->at(2), 0.05);
}

TEST_F(DatasetTest, GivenStatisticsReplaceTheOwn) {
  LoadedDataset dataset =
      MustLoadNpz("nchw", {.mean = {0.1f, 0.2f, 0.3f}, .stddev = {1.0f, 2.0f, 3.0f}});
  EXPECT_THAT(dataset.mean, ElementsAre(0.1f, 0.2f, 0.3f));
  EXPECT_THAT(dataset.stddev, ElementsAre(1.0f, 2.0f, 3.0f));
}

TEST_F(DatasetTest, GivenStatisticsThatDoNotFitAreRefused) {
  auto error = [](const LoadOptions& options, absl::string_view name = "nchw") {
    absl::StatusOr<LoadedDataset> dataset = LoadNpz(name, options);
    EXPECT_EQ(dataset.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(dataset.status().message());
  };
  EXPECT_THAT(error({.mean = {0.5f}, .stddev = {1.0f}}), HasSubstr("mean is 1 values; allowed 3"));
  EXPECT_THAT(error({.mean = {0, 0, 0}}), HasSubstr("stddev is 0 values; allowed 3"));
  EXPECT_THAT(error({.mean = {0, 0, 0}, .stddev = {1, 1, 0}}), HasSubstr("stddev is 0; allowed"));
  EXPECT_THAT(error({.mean = {0, NAN, 0}, .stddev = {1, 1, 1}}), HasSubstr("mean is nan"));
  EXPECT_THAT(error({.mean = {0, 0, 0}, .stddev = {1, 1, 1}}, "float32"),
              HasSubstr("taken as they are"));
}

TEST_F(DatasetTest, FloatImagesAreTakenAsTheyAre) {
  LoadedDataset dataset = MustLoadNpz("float32");
  EXPECT_THAT(dataset.mean, IsEmpty());
  const std::vector<float> values = ValuesOf<float>(dataset, *dataset.train);
  EXPECT_EQ(values.size(), 8u * 60);
  EXPECT_LT(*std::min_element(values.begin(), values.end()), -0.3f);
}

TEST_F(DatasetTest, SplitDependsOnTheSeedAlone) {
  LoadedDataset first = MustLoadNpz("nhw", {.test_fraction = 0.4, .split_seed = 1});
  LoadedDataset again = MustLoadNpz("nhw", {.test_fraction = 0.4, .split_seed = 1});
  LoadedDataset other = MustLoadNpz("nhw", {.test_fraction = 0.4, .split_seed = 2});
  EXPECT_EQ(first.test->size(), 4);
  EXPECT_EQ(first.train->size(), 6);
  EXPECT_EQ(ValuesOf<uint8_t>(first, *first.test), ValuesOf<uint8_t>(again, *again.test));
  EXPECT_NE(ValuesOf<uint8_t>(first, *first.test), ValuesOf<uint8_t>(other, *other.test));
}

TEST_F(DatasetTest, SmallSetsKeepASampleOnEachSide) {
  EXPECT_EQ(MustLoadNpz("nhw", {.test_fraction = 0.999}).train->size(), 1);
  EXPECT_EQ(MustLoadNpz("nhw", {.test_fraction = 0.001}).test->size(), 1);
}

TEST_F(DatasetTest, TestFractionOutOfRangeIsRefused) {
  for (double fraction : {0.0, 1.0, -0.5, static_cast<double>(NAN)}) {
    absl::Status status = LoadNpz("nhw", {.test_fraction = fraction}).status();
    EXPECT_THAT(status.message(), HasSubstr("test_fraction is "));
  }
}

TEST_F(DatasetTest, BadArraysAreRefusedWithFileReasonAndRemedy) {
  constexpr HostileFile kFiles[] = {
      {"nan", "sample 7 (from 0) has the value nan at its element 33"},
      {"label_negative", "sample 0 (from 0) has the label -1; allowed 0 to 999999"},
      {"label_huge", "sample 2 (from 0) has the label 1000000; allowed 0 to 999999"},
      {"counts_differ", "10 samples, but counts_differ.npz: y: 9 targets"},
      {"two_sizes", "uint8 [3, 3, 5], but those before are of uint8 [3, 4, 5]"},
      {"two_types", "float32 [3, 4, 5], but those before are of uint8"},
      {"empty", "the data set is empty"},
      {"one_sample", "one sample only"},
      {"one_class", "one class only"},
      {"other_names", "no array of inputs: it holds [kinds, pictures]"},
      {"no_labels", "an array x_train but none named y_train"},
      {"objects", "of type '|O'"},
      {"no_pixels", "have no elements"},
  };
  for (const HostileFile& file : kFiles) {
    absl::StatusOr<LoadedDataset> dataset = LoadNpz(file.file);
    EXPECT_EQ(dataset.status().code(), absl::StatusCode::kInvalidArgument) << file.file;
    EXPECT_THAT(dataset.status().message(), HasSubstr(file.error));
    EXPECT_THAT(dataset.status().message(), HasSubstr(file.file));
  }
}

TEST_F(DatasetTest, ArraysOfAnyTypeAndShapeAreTakenAsTheyAre) {
  LoadedDataset flat = MustLoadNpz("flat");
  EXPECT_EQ(flat.inputs[0].type, ElementType::kUInt8);
  EXPECT_THAT(flat.inputs[0].shape, ElementsAre(60));
  EXPECT_FALSE(flat.inputs[0].is_image());
  LoadedDataset whole = MustLoadNpz("int64");
  EXPECT_EQ(whole.inputs[0].type, ElementType::kInt64);
  LoadedDataset one_hot = MustLoadNpz("one_hot");
  EXPECT_THAT(one_hot.target.shape, ElementsAre(3));
  LoadedDataset regression = MustLoadNpz("label_float");
  EXPECT_EQ(regression.target.type, ElementType::kFloat32);
  EXPECT_EQ(regression.target.classes, 0);
}

TEST_F(DatasetTest, SeveralInputsComeInTheOrderOfTheirNumbers) {
  LoadedDataset two = MustLoadNpz("two_inputs");
  ASSERT_EQ(two.inputs.size(), 2u);
  EXPECT_EQ(two.inputs[0].name, "x0");
  EXPECT_EQ(two.inputs[0].type, ElementType::kInt64);
  EXPECT_EQ(two.inputs[0].classes, 30);
  EXPECT_EQ(two.inputs[1].type, ElementType::kFloat32);
  EXPECT_THAT(two.target.shape, ElementsAre(2));  // float64 in the file
  EXPECT_EQ(two.target.type, ElementType::kFloat32);
  const std::vector<int64_t> ids = ValuesOf<int64_t>(two, *two.train, 0);
  const std::vector<float> numbers = ValuesOf<float>(two, *two.train, 1);
  for (size_t i = 0; i < ids.size() / 3; ++i) {
    const int64_t sample = ids[3 * i] / 3;
    EXPECT_FLOAT_EQ(numbers[2 * i], static_cast<float>(2 * sample) / 19) << i;
  }
}

TEST_F(DatasetTest, ArraysThatTheOptionsNameStandBeforeTheCustomary) {
  LoadedDataset named =
      MustLoadNpz("given_names", {.inputs = {"mask_train", "ids_train"}, .target = "wanted_train"});
  ASSERT_EQ(named.inputs.size(), 2u);
  EXPECT_EQ(named.inputs[0].name, "mask_train");
  EXPECT_EQ(named.inputs[0].type, ElementType::kInt32);
  EXPECT_EQ(named.inputs[0].classes, 2);
  EXPECT_EQ(named.train->size(), 10);
  EXPECT_EQ(named.test->size(), 2);
  EXPECT_THAT(
      LoadNpz("given_names", {.inputs = {"masks"}, .target = "wanted_train"}).status().message(),
      HasSubstr("an array wanted_train but none named masks"));
}

TEST_F(DatasetTest, LabelsOfEachPositionMayBeIgnored) {
  LoadedDataset dense = MustLoadNpz("ignored");
  EXPECT_THAT(dense.target.shape, ElementsAre(4));
  EXPECT_EQ(dense.target.classes, 7);
  EXPECT_EQ(dense.inputs[0].type, ElementType::kInt32);
  EXPECT_THAT(LoadNpz("ignored", {.ignore_index = -1}).status().message(),
              HasSubstr("sample 0 (from 0) has the label -100; allowed 0 to 999999, and -1 for"));
}

TEST_F(DatasetTest, SafetensorsAreReadAsArraysAre) {
  const auto load = [](absl::string_view name) {
    const std::string file = absl::StrCat(name, ".safetensors");
    return LoadDataset({{file, TestdataPath(absl::StrCat("testdata/safetensors/", file))}}, {});
  };
  auto pairs = load("pairs");
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_EQ(pairs->format, "safetensors");
  EXPECT_EQ(pairs->train->size(), 6);
  EXPECT_THAT(ValuesOf<float>(*pairs, *pairs->test), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(LabelsOf(*pairs, *pairs->test), ElementsAre(0, 1));
  constexpr HostileFile kFiles[] = {
      {"bfloat", "x: its elements are of type BF16; allowed are BOOL, integers"},
      {"control_name", "an array x but none named y"},
      {"header_bomb", "its header declares 4611686018427387904 bytes; the limit is 1048576"},
      {"deep_header", "its header nests too deep"},
      {"overflow", "tensor x: has a shape whose size overflows"},
  };
  for (const HostileFile& file : kFiles) {
    const auto dataset = load(file.file);
    EXPECT_THAT(dataset.status().message(), HasSubstr(file.error));
    EXPECT_THAT(dataset.status().message(), HasSubstr(file.file));
    EXPECT_THAT(dataset.status().message(), Not(HasSubstr("\x1b")));
  }
  // Too large to be kept beside the others.
  const SourceFile long_header =
      Write("long_header.safetensors",
            absl::StrCat(absl::string_view("\0\0\x20\0\0\0\0\0", 8), std::string(2 << 20, ' ')));
  EXPECT_THAT(LoadDataset({long_header}, {}).status().message(),
              AllOf(HasSubstr("its header declares 2097152 bytes; the limit is 1048576"),
                    HasSubstr("long_header"), Not(HasSubstr("\x1b"))));
}

TEST_F(DatasetTest, FormatThatIsAskedForMustBeThatOfTheFiles) {
  EXPECT_TRUE(LoadNpz("nhw", {.format = "npz"}).ok());
  EXPECT_THAT(LoadNpz("nhw", {.format = "idx"}).status().message(),
              HasSubstr("read.format is idx; allowed npz, which the files are"));
  EXPECT_THAT(LoadNpz("nhw", {.format = "csv"}).status().message(),
              HasSubstr("read.format is csv; allowed cifar10"));
  EXPECT_THAT(LoadNpz("nhw", {.image_height = 5}).status().message(),
              HasSubstr("read.image_size is 5, 0; allowed two sides"));
}

TEST_F(DatasetTest, ImagesOfAnySizeAreResizedWhereASizeIsGiven) {
  const SourceFile tar = Corpus("set.tar", "folder/two_sizes.tar");
  auto dataset = LoadDataset({tar}, {.image_height = 4, .image_width = 3});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(dataset->inputs[0].shape, ElementsAre(3, 4, 3));
  // The same where they are decoded when asked for.
  auto streamed =
      LoadDataset({tar}, {.image_height = 4, .image_width = 3, .keep_decoded_bytes = 0});
  ASSERT_TRUE(streamed.ok()) << streamed.status();
  EXPECT_TRUE(streamed->train->decodes());
  EXPECT_EQ(ValuesOf<uint8_t>(*dataset, *dataset->train),
            ValuesOf<uint8_t>(*streamed, *streamed->train));
  EXPECT_EQ(dataset->mean, streamed->mean);
}

TEST_F(DatasetTest, SeveralArchivesAreOneFolderOfImages) {
  // A source reads on after its file has lost its name.
  const SourceFile first = Corpus("0.tar", "folder/no_split.tar");
  const SourceFile second = Corpus("1.tar", "folder/litter.tar");
  auto dataset = LoadDataset({first, second}, {.keep_decoded_bytes = 0});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  for (const SourceFile& file : {first, second}) {
    MANTISSA_CHECK_OK(RealFileSystem().Remove(file.path));
  }
  EXPECT_EQ(dataset->train->size() + dataset->test->size(), 5);
  EXPECT_EQ(ValuesOf<uint8_t>(*dataset, *dataset->train).size(), 4u * 90);
}

TEST_F(DatasetTest, SamplesBeyondTheLimitAreRefused) {
  // Each file is smaller than the limit, both together are not.
  auto dataset = LoadDataset(
      {Corpus("train-images-ubyte", "idx/images"), Corpus("train-labels-ubyte", "idx/labels")},
      {.max_decoded_bytes = 212});
  EXPECT_THAT(dataset.status().message(), HasSubstr("-ubyte: the decoded samples take"));
  EXPECT_EQ(dataset.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(DatasetTest, IdxFilesMakeTheirOwnSplit) {
  SourceFile images = Corpus("train-images-idx3-ubyte", "idx/images");
  SourceFile labels = Corpus("train-labels-idx1-ubyte", "idx/labels");
  SourceFile test_images = Corpus("sub/t10k-images-idx3-ubyte", "idx/images");
  SourceFile test_labels = Corpus("sub/t10k-labels-idx1-ubyte", "idx/labels");
  auto dataset = LoadDataset({labels, images, test_images, test_labels}, {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->format, "idx");
  EXPECT_EQ(dataset->train->size(), 6);
  EXPECT_EQ(dataset->test->size(), 6);
  EXPECT_THAT(LabelsOf(*dataset, *dataset->train), ElementsAre(0, 1, 2, 3, 4, 1));
  EXPECT_THAT(dataset->inputs[0].shape, ElementsAre(1, 7, 5));
  EXPECT_EQ(dataset->target.classes, 5);
}

TEST_F(DatasetTest, CompressedFilesAreReadAsTheyArePublished) {
  auto packed = [](absl::string_view name, absl::string_view file) {
    return SourceFile{std::string(name), TestdataPath(absl::StrCat("testdata/packed/", file))};
  };
  auto idx = LoadDataset({packed("train-images-idx3-ubyte.gz", "images.gz"),
                          packed("train-labels-idx1-ubyte.gz", "labels.gz")},
                         {});
  ASSERT_TRUE(idx.ok()) << idx.status();
  EXPECT_EQ(idx->train->size() + idx->test->size(), 6);
  auto cifar = LoadDataset({packed("cifar-10-binary.tar.gz", "cifar.tar.gz")}, {});
  ASSERT_TRUE(cifar.ok()) << cifar.status();
  EXPECT_EQ(cifar->format, "cifar10");
  EXPECT_THAT(LabelsOf(*cifar, *cifar->train), ElementsAre(3, 3));
  EXPECT_THAT(LabelsOf(*cifar, *cifar->test), ElementsAre(3));
  auto nested = LoadDataset({packed("nested.tar", "nested.tar")}, {});
  EXPECT_THAT(nested.status().message(), HasSubstr("an archive within an archive"));
}

TEST_F(DatasetTest, IdxFilesThatDoNotFitTogetherAreRefused) {
  SourceFile images = Corpus("train-images-idx3-ubyte", "idx/images");
  auto error = [](const std::vector<SourceFile>& files) {
    return std::string(LoadDataset(files, {}).status().message());
  };
  EXPECT_THAT(error({images}), HasSubstr("the file of labels that belongs to it is missing"));
  EXPECT_THAT(error({images, Corpus("more-images-ubyte", "idx/images")}),
              HasSubstr("a second file of training images beside train-images-idx3-ubyte"));
  EXPECT_THAT(error({Corpus("t10k-images-ubyte", "idx/images")}),
              HasSubstr("no IDX files for training"));
  SourceFile labels = Corpus("train-labels-idx1-ubyte", "idx/labels");
  for (auto [file, reason] :
       {HostileFile{"truncated", "tells of 210 bytes of data, 209"},
        HostileFile{"longer", "tells of 210 bytes of data, 211"},
        HostileFile{"header_cut", "truncated within its header"},
        HostileFile{"overflow", "more than 2^63"}, HostileFile{"unknown_type", "not an IDX file"},
        HostileFile{"five_dimensions", "not an IDX file"}}) {
    SourceFile bad = Corpus("train-images-idx3-ubyte", absl::StrCat("idx/", file));
    EXPECT_THAT(error({bad, labels}), HasSubstr(reason)) << file;
    EXPECT_THAT(error({bad, labels}), HasSubstr("train-images-idx3-ubyte")) << file;
  }
}

TEST_F(DatasetTest, Cifar10IsReadWithItsNames) {
  auto dataset = LoadDataset(
      {Corpus("cifar/data_batch_2.bin", "cifar/three_records.bin"),
       Corpus("cifar/data_batch_1.bin", "cifar/two_records.bin"),
       Corpus("cifar/test_batch.bin", "cifar/two_records.bin"),
       Corpus("cifar/batches.meta.txt", "cifar/names.txt"), Write("cifar/readme.html", "<html>")},
      {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->format, "cifar10");
  EXPECT_THAT(LabelsOf(*dataset, *dataset->train), ElementsAre(0, 9, 0, 9, 3));
  EXPECT_THAT(LabelsOf(*dataset, *dataset->test), ElementsAre(0, 9));
  EXPECT_EQ(dataset->target.classes, 10);
  EXPECT_EQ(dataset->class_names[9], "class9");
  const std::vector<uint8_t> pixels = ValuesOf<uint8_t>(*dataset, *dataset->train);
  EXPECT_EQ(pixels.size(), 5u * 3072);
  std::string file = Testdata("corpus/cifar/two_records.bin");
  EXPECT_EQ(pixels[0], static_cast<uint8_t>(file[1]));
  EXPECT_EQ(pixels[3072], static_cast<uint8_t>(file[3074]));
}

TEST_F(DatasetTest, Cifar100TakesTheFineLabel) {
  SourceFile train = Corpus("train.bin", "cifar/fine_labels.bin");
  SourceFile test = Corpus("test.bin", "cifar/fine_labels.bin");
  auto dataset = LoadDataset({train, test}, {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->format, "cifar100");
  EXPECT_THAT(LabelsOf(*dataset, *dataset->train), ElementsAre(99));
  EXPECT_EQ(dataset->target.classes, 100);
}

TEST_F(DatasetTest, BadCifarFilesAreRefusedWithTheirReason) {
  auto error = [](const std::vector<SourceFile>& files) {
    return std::string(LoadDataset(files, {}).status().message());
  };
  SourceFile good = Corpus("data_batch_1.bin", "cifar/two_records.bin");
  EXPECT_THAT(error({Corpus("data_batch_1.bin", "cifar/label_10.bin")}),
              HasSubstr("data_batch_1.bin: record 1 (from 0) has the label 10; allowed 0 to 9"));
  EXPECT_THAT(error({Corpus("train.bin", "cifar/fine_label_100.bin")}),
              HasSubstr("has the label 100; allowed 0 to 99"));
  EXPECT_THAT(error({Corpus("data_batch_1.bin", "cifar/truncated.bin")}),
              HasSubstr("9218 bytes are no multiple of 3073"));
  EXPECT_THAT(error({Corpus("data_batch_1.bin", "cifar/empty.bin")}), HasSubstr("is empty"));
  EXPECT_THAT(error({good, Corpus("batches.meta.txt", "cifar/too_few_names.txt")}),
              HasSubstr("has not 10 lines"));
  EXPECT_THAT(error({good, Corpus("train.bin", "cifar/fine_labels.bin")}),
              HasSubstr("both CIFAR-10 and CIFAR-100"));
  EXPECT_THAT(error({Corpus("test_batch.bin", "cifar/two_records.bin")}),
              HasSubstr("no training files"));
  EXPECT_THAT(error({good, Corpus("other/data_batch_1.bin", "cifar/two_records.bin")}),
              HasSubstr("a second file of that name"));
}

TEST_F(DatasetTest, ImageFoldersTakeTheirClassesAndSplitFromTheNames) {
  auto dataset = LoadDataset({Corpus("set.tar", "folder/split.tar")}, {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->format, "image-folder");
  EXPECT_THAT(dataset->class_names, ElementsAre("a", "b"));
  EXPECT_THAT(LabelsOf(*dataset, *dataset->train), ElementsAre(0, 1));
  EXPECT_THAT(LabelsOf(*dataset, *dataset->test),
              ElementsAre(0));  // test/ is there, so val/ is left out
  EXPECT_THAT(dataset->inputs[0].shape, ElementsAre(3, 6, 5));
}

TEST_F(DatasetTest, ImageFolderWithoutASplitIsSplitBySeed) {
  auto dataset = LoadDataset({Corpus("set.tar", "folder/no_split.tar")}, {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->train->size() + dataset->test->size(), 3);
  EXPECT_EQ(dataset->test->size(), 1);
  auto litter = LoadDataset({Corpus("set.tar", "folder/litter.tar")}, {});
  ASSERT_TRUE(litter.ok()) << litter.status();
}

TEST_F(DatasetTest, BadImageFoldersAreRefusedWithTheirReason) {
  constexpr HostileFile kFiles[] = {
      {"two_sizes.tar", "b/2.png: 5x7 pixels, but a/1.png has 5x6"},
      {"two_deep.tar", "b/c/2.png: the image is in 2 folders below the split"},
      {"no_class.tar", "1.png: the image is in 0 folders below the split"},
      {"stranger.tar", "b/notes.txt: unknown file among images"},
      {"damaged.tar", "b/2.png: damaged PNG"},
  };
  for (const HostileFile& file : kFiles) {
    auto dataset = LoadDataset({Corpus("set.tar", absl::StrCat("folder/", file.file))}, {});
    EXPECT_EQ(dataset.status().code(), absl::StatusCode::kInvalidArgument) << file.file;
    EXPECT_THAT(dataset.status().message(), HasSubstr(file.error));
  }
}

TEST_F(DatasetTest, FilesThatMakeNoDataSetAreRefused) {
  auto error = [](const std::vector<SourceFile>& files) {
    absl::StatusOr<LoadedDataset> dataset = LoadDataset(files, {});
    EXPECT_EQ(dataset.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(dataset.status().message());
  };
  EXPECT_THAT(error({}), HasSubstr("the data set is empty: it has no files"));
  EXPECT_THAT(error({Write("model.pkl", "\x80\x04")}), HasSubstr("model.pkl: not understood"));
  EXPECT_THAT(error({NpzFile("split"), NpzFile("nhw")}), HasSubstr("a second archive beside"));
  EXPECT_THAT(error({NpzFile("split"), Corpus("labels-ubyte", "idx/labels")}),
              HasSubstr("of another kind than split.npz"));
  EXPECT_THAT(error({Write("1.png", Testdata("testdata/images/rgb.png"))}),
              HasSubstr("images must come in one .tar"));
  EXPECT_THAT(error({Corpus("x.npz", "npz/truncated.npz")}),
              HasSubstr("x.npz: not a usable zip archive: it is truncated"));
  EXPECT_THAT(error({Corpus("set.tar", "tar/symlink.tar")}), HasSubstr("is a symbolic link"));
  EXPECT_THAT(error({Corpus("set.tar", "tar/empty.tar")}), HasSubstr("is empty"));
  EXPECT_THAT(error({Write("bad\x1b[31mname", "x")}), HasSubstr("bad\\x1b[31mname"));
}

}  // namespace
}  // namespace mantissa::data
