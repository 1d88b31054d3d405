#include "client/cc/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "client/cc/image_tar.h"
#include "tests/client/fake_server.h"
#include "tests/client/fast_client.h"

namespace mantissa::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DatasetTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& bytes = "x") {
    const std::string path = JoinPath(folder_.path(), name);
    MANTISSA_CHECK_OK(files().MakeFolders(ParentPath(path)));
    MANTISSA_CHECK_OK(files().WriteAtomically(path, bytes));
    return path;
  }

  DataSource Recognise(const std::string& name) {
    const auto source = RecogniseData(files(), JoinPath(folder_.path(), name));
    MANTISSA_CHECK_OK(source);
    return *source;
  }

  std::string Tar(const std::string& name) {
    const std::string folder = JoinPath(folder_.path(), name);
    const std::string tar = JoinPath(folder_.path(), name + ".out");
    MANTISSA_CHECK_OK(WriteImageTar(files(), folder, *ListImages(files(), folder), tar));
    return *files().Read(tar);
  }

  static FileSystem& files() { return RealFileSystem(); }

  TempFolder folder_;
};

TEST_F(DatasetTest, RecognisesSingleFilesByTheirEnding) {
  Write("digits.npz");
  Write("photos.TAR");
  EXPECT_EQ(Recognise("digits.npz").kind, DataKind::kNpz);
  EXPECT_THAT(Recognise("digits.npz").names, ElementsAre("digits.npz"));
  EXPECT_EQ(Recognise("photos.TAR").kind, DataKind::kTar);
}

TEST_F(DatasetTest, RecognisesCifarFolderAndLeavesOtherFilesOut) {
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "test_batch.bin",
                           "batches.meta.txt", "readme.html"}) {
    Write(JoinPath("cifar", name));
  }
  const DataSource source = Recognise("cifar");
  EXPECT_EQ(source.kind, DataKind::kCifar);
  EXPECT_THAT(source.names, ElementsAre("batches.meta.txt", "data_batch_1.bin", "data_batch_2.bin",
                                        "test_batch.bin"));
}

TEST_F(DatasetTest, RecognisesIdxFolderByMnistNames) {
  Write("mnist/train-images-idx3-ubyte");
  Write("mnist/train-labels-idx1-ubyte");
  const DataSource source = Recognise("mnist");
  EXPECT_EQ(source.kind, DataKind::kIdx);
  EXPECT_EQ(source.names.size(), 2u);
}

TEST_F(DatasetTest, RecognisesTokensArraysAndShards) {
  for (const char* name : {"text/train.bin", "text/val.bin", "arrays/x.npy", "arrays/y.npy",
                           "shards/a-0.tar", "shards/a-1.tar", "ids/a.bin"}) {
    Write(name);
  }
  v1::ReadOptions tokens;
  tokens.set_sequence_length(8);
  const auto text = RecogniseData(files(), JoinPath(folder_.path(), "text"), tokens);
  MANTISSA_CHECK_OK(text);
  EXPECT_EQ(text->kind, DataKind::kTokens);
  EXPECT_THAT(text->names, ElementsAre("train.bin", "val.bin"));
  // Without a sequence length CIFAR-100 has that name too.
  EXPECT_EQ(Recognise("text").kind, DataKind::kCifar);
  EXPECT_EQ(Recognise("ids").kind, DataKind::kTokens);
  EXPECT_EQ(Recognise("arrays").kind, DataKind::kNpy);
  EXPECT_THAT(Recognise("shards").names, ElementsAre("a-0.tar", "a-1.tar"));
  EXPECT_EQ(Recognise(Write("w.safetensors").substr(folder_.path().size() + 1)).kind,
            DataKind::kSafetensors);
}

TEST_F(DatasetTest, RecognisesImagesByClassSorted) {
  Write("photos/dog/b.JPG");
  Write("photos/cat/z.png");
  Write("photos/cat/a.jpeg");
  Write("photos/cat/notes.txt");
  Write("photos/.cache/c.png");
  const DataSource source = Recognise("photos");
  EXPECT_EQ(source.kind, DataKind::kImageFolder);
  EXPECT_THAT(source.names, ElementsAre("cat/a.jpeg", "cat/z.png", "dog/b.JPG"));
}

TEST_F(DatasetTest, SaysWhatItUnderstandsOfOtherPaths) {
  Write("table.csv");
  Write("flat/a.png");  // an image without a folder for its class
  for (const char* name : {"table.csv", "flat"}) {
    const auto source = RecogniseData(files(), JoinPath(folder_.path(), name));
    EXPECT_TRUE(absl::IsInvalidArgument(source.status()));
    EXPECT_THAT(std::string(source.status().message()), HasSubstr("a .npz file"));
  }
  EXPECT_TRUE(absl::IsNotFound(RecogniseData(files(), "nowhere").status()));
}

TEST_F(DatasetTest, MakesSameTarOfSameImagesWrittenLater) {
  Write("one/dog/b.png", "dog's bytes");
  Write("one/cat/a.png", "cat's bytes");
  Write("two/cat/a.png", "cat's bytes");
  Write("two/dog/b.png", "dog's bytes");
  Write("two/dog/notes.txt", "not an image");
  EXPECT_EQ(Tar("one"), Tar("two"));
  EXPECT_THAT(Tar("one"), HasSubstr("cat/a.png"));
}

TEST_F(DatasetTest, WritesLongAndUnusualNamesToTar) {
  const std::string name = "class/" + std::string(200, 'n') + "é.png";
  Write("odd/" + name, "bytes");
  EXPECT_THAT(Tar("odd"), HasSubstr(name));
}

TEST_F(DatasetTest, PushSendsImageFolderAsOneTarOnlyOnce) {
  FakeServer server;
  const auto client = FastClient(FastOptions(server.address()));
  Write("photos/cat/a.png", "cat's bytes");
  v1::CreateDatasetRequest request;
  request.set_name("photos");
  const PushOptions options = {.temp_folder = folder_.path()};
  const std::string path = JoinPath(folder_.path(), "photos");
  const auto first = PushDataset(*client, files(), path, request, options);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_GT(first->sent_bytes, 0);
  EXPECT_EQ(first->dataset.files(0).name(), "images.tar");
  const auto second = PushDataset(*client, files(), path, request, options);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->sent_bytes, 0);
  // The .tar was only there while it was sent.
  EXPECT_THAT(*files().List(folder_.path()), ElementsAre("photos"));
}

TEST_F(DatasetTest, PushNamesEachFileWithItsHash) {
  FakeServer server;
  const auto client = FastClient(FastOptions(server.address()));
  Write("mnist/t10k-images-idx3-ubyte", "images");
  Write("mnist/t10k-labels-idx1-ubyte", "labels");
  v1::CreateDatasetRequest request;
  request.set_name("mnist");
  request.set_test_fraction(0.3);
  ASSERT_TRUE(PushDataset(*client, files(), JoinPath(folder_.path(), "mnist"), request, {}).ok());
  absl::MutexLock lock(&server.state().mutex);
  const v1::CreateDatasetRequest& created = server.state().created.at(0);
  ASSERT_EQ(created.files_size(), 2);
  EXPECT_EQ(created.files(1).name(), "t10k-labels-idx1-ubyte");
  EXPECT_EQ(server.state().blobs.at(created.files(1).sha256()).bytes, "labels");
  EXPECT_EQ(created.test_fraction(), 0.3);
}

}  // namespace
}  // namespace mantissa::client
