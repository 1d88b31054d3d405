#include "server/engine/batches.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/count_nonzero.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/flip.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/string_view.h"
#include "base/hash.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/data/npz.h"

namespace mantissa::engine {
namespace {

using ::testing::ElementsAre;

// `count` images of 1 x 4 x 4 whose pixels tell the sample and the place.
data::LoadedDataset Numbered(int64_t count) {
  data::LoadedDataset data{.channels = 1, .height = 4, .width = 4, .classes = 2};
  for (int64_t i = 0; i < count; ++i) {
    for (int pixel = 0; pixel < 16; ++pixel) {
      data.train.images_f32.push_back(static_cast<float>(i * 100 + pixel + 1));
    }
    data.train.labels.push_back(i % 2);
  }
  return data;
}

int64_t SampleOf(const at::Tensor& image) { return image.max().item<int64_t>() / 100; }

TEST(Batches, NormalisedImagesEqualNumpysBitForBit) {
  auto arrays = data::ReadNpz("tests/reference/testdata/digits32.npz", {});
  MANTISSA_CHECK_OK(arrays);
  data::LoadedDataset data{.channels = 3, .height = 32, .width = 32, .classes = 10};
  const std::string& pixels = arrays->at("train_u8").bytes;
  data.train.images_u8.assign(pixels.begin(), pixels.end());
  data.train.labels = *arrays->at("train_y").ToInt64();
  data.mean = *arrays->at("mean").ToFloat();
  data.stddev = *arrays->at("std").ToFloat();
  BatchSource source(data, data.train, {.batch_size = 100});
  Sha256 hash;
  for (int64_t i = 0; i < source.batches(); ++i) {
    const Batch batch = source.Load(0, i);
    hash.Update(absl::string_view(static_cast<const char*>(batch.images.const_data_ptr()),
                                  batch.images.nbytes()));
  }
  // Of the float32 array that NumPy makes of it.
  EXPECT_EQ(hash.Finish(), "b3df57e8466249b4daa4c9517e748638db513531c44c9b66905357ae14411b7d");
}

TEST(Batches, LastBatchHoldsWhatIsLeft) {
  const data::LoadedDataset data = Numbered(10);
  BatchSource source(data, data.train, {.batch_size = 4});
  ASSERT_EQ(source.batches(), 3);
  EXPECT_EQ(source.Load(0, 0).labels.numel(), 4);
  EXPECT_EQ(source.Load(0, 2).labels.numel(), 2);
  EXPECT_THAT(source.Load(0, 2).images.sizes().vec(), ElementsAre(2, 1, 4, 4));
}

std::vector<int64_t> OrderOf(BatchSource& source, int epoch) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < source.batches(); ++i) {
    const Batch batch = source.Load(epoch, i);
    for (int64_t k = 0; k < batch.labels.numel(); ++k) {
      order.push_back(SampleOf(batch.images[k]));
      EXPECT_EQ(batch.labels[k].item<int64_t>(), order.back() % 2);
    }
  }
  return order;
}

TEST(Batches, ShuffleTakesEverySampleOnceInANewOrderEachEpoch) {
  const data::LoadedDataset data = Numbered(50);
  BatchSource source(data, data.train, {.batch_size = 7, .shuffle = true, .seed = 5});
  const std::vector<int64_t> first = OrderOf(source, 0), second = OrderOf(source, 1);
  EXPECT_EQ(std::set<int64_t>(first.begin(), first.end()).size(), 50u);
  EXPECT_NE(first, second);
  EXPECT_EQ(OrderOf(source, 0), first);
  BatchSource other(data, data.train, {.batch_size = 7, .shuffle = true, .seed = 6});
  EXPECT_NE(OrderOf(other, 0), first);
}

// The image cut from `image` padded by 4, from (top, left), perhaps flipped.
at::Tensor Cut(const at::Tensor& image, int64_t top, int64_t left, bool flip) {
  const at::Tensor padded = at::zeros({1, 12, 12});
  padded.slice(1, 4, 8).slice(2, 4, 8).copy_(image);
  const at::Tensor cut = padded.slice(1, top, top + 4).slice(2, left, left + 4);
  return flip ? cut.flip({2}) : cut;
}

TEST(Batches, AugmentedImagesAreCropsOfThePaddedImageHalfOfThemFlipped) {
  const data::LoadedDataset data = Numbered(40);
  BatchSource plain(data, data.train, {.batch_size = 40});
  BatchSource source(data, data.train,
                     {.batch_size = 40, .augment = AugmentKind::kCropFlip, .seed = 9});
  const at::Tensor originals = plain.Load(0, 0).images, changed = source.Load(3, 0).images;
  int flipped = 0;
  std::set<std::pair<int64_t, int64_t>> places;
  for (int64_t i = 0; i < 40; ++i) {
    bool found = false;
    for (int64_t place = 0; place < 2 * 81 && !found; ++place) {
      const int64_t top = place % 81 / 9, left = place % 9;
      found = at::equal(changed[i], Cut(originals[i], top, left, place >= 81));
      if (!found) continue;
      // An image cut to nothing fits anywhere.
      if (changed[i].count_nonzero().item<int64_t>() == 0) continue;
      places.insert({top, left});
      flipped += place >= 81 ? 1 : 0;
    }
    EXPECT_TRUE(found) << "sample " << i;
  }
  EXPECT_GT(places.size(), 15u);
  EXPECT_GT(flipped, 8);
  EXPECT_LT(flipped, 32);
}

TEST(Batches, ChangesDependOnSeedEpochAndSampleButNotOnThreads) {
  const data::LoadedDataset data = Numbered(64);
  const auto load = [&](uint64_t seed, int epoch) {
    BatchSource source(data, data.train,
                       {.batch_size = 64, .augment = AugmentKind::kCrop, .seed = seed});
    return source.Load(epoch, 0).images;
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor first = load(1, 0);
  at::set_num_threads(2);
  EXPECT_TRUE(at::equal(first, load(1, 0)));
  at::set_num_threads(threads);
  EXPECT_FALSE(at::equal(first, load(1, 1)));
  EXPECT_FALSE(at::equal(first, load(2, 0)));
}

TEST(Batches, PaddingOfUint8ImagesIsBlackBeforeItIsNormalised) {
  data::LoadedDataset data{.channels = 1, .height = 4, .width = 4, .classes = 2};
  data.train.images_u8.assign(16 * 32, 255);
  data.train.labels.assign(32, 0);
  data.mean = {0.5f};
  data.stddev = {0.25f};
  BatchSource source(data, data.train, {.batch_size = 32, .augment = AugmentKind::kCrop});
  const at::Tensor images = source.Load(0, 0).images;
  EXPECT_EQ(images.min().item<float>(), -2.0f);
  EXPECT_EQ(images.max().item<float>(), 2.0f);
}

}  // namespace
}  // namespace mantissa::engine
