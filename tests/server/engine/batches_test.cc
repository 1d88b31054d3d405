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
#include "server/data/array_samples.h"
#include "server/data/npz.h"

namespace mantissa::engine {
namespace {

using ::testing::ElementsAre;

// Images of `shape` with class numbers.
template <typename Pixel>
data::LoadedDataset MakeData(std::vector<int64_t> shape, const std::vector<Pixel>& pixels,
                             const std::vector<int64_t>& labels) {
  const data::Column images = data::MakeColumn("x", shape, pixels);
  data::LoadedDataset data{.inputs = {images.tensor},
                           .target = {"y", data::ElementType::kInt64, {}, 10}};
  data.train = data::MakeArraySamples({images}, data::MakeColumn("y", {}, labels));
  return data;
}

// `count` images of 1 x 4 x 4 whose pixels tell the sample and the place.
data::LoadedDataset Numbered(int64_t count) {
  std::vector<float> pixels;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    for (int pixel = 0; pixel < 16; ++pixel) {
      pixels.push_back(static_cast<float>(i * 100 + pixel + 1));
    }
    labels.push_back(i % 2);
  }
  return MakeData({1, 4, 4}, pixels, labels);
}

Batch MustLoad(BatchSource& source, int epoch, int64_t index) {
  absl::StatusOr<Batch> batch = source.Load(epoch, index);
  MANTISSA_CHECK_OK(batch);
  return *std::move(batch);
}

int64_t SampleOf(const at::Tensor& image) { return image.max().item<int64_t>() / 100; }

TEST(Batches, NormalisedImagesEqualNumpysBitForBit) {
  auto arrays = data::ReadNpz("tests/reference/testdata/digits32.npz", {});
  MANTISSA_CHECK_OK(arrays);
  const std::string& bytes = arrays->at("train_u8").bytes;
  data::LoadedDataset data = MakeData({3, 32, 32}, std::vector<uint8_t>(bytes.begin(), bytes.end()),
                                      *arrays->at("train_y").ToInt64());
  data.mean = *arrays->at("mean").ToFloat();
  data.stddev = *arrays->at("std").ToFloat();
  BatchSource source(data, *data.train, {.batch_size = 100});
  Sha256 hash;
  for (int64_t i = 0; i < source.batches(); ++i) {
    const Batch batch = MustLoad(source, 0, i);
    hash.Update(absl::string_view(static_cast<const char*>(batch.inputs[0].const_data_ptr()),
                                  batch.inputs[0].nbytes()));
  }
  // Of the float32 array that NumPy makes of it.
  EXPECT_EQ(hash.Finish(), "b3df57e8466249b4daa4c9517e748638db513531c44c9b66905357ae14411b7d");
}

TEST(Batches, LastBatchHoldsWhatIsLeft) {
  const data::LoadedDataset data = Numbered(10);
  BatchSource source(data, *data.train, {.batch_size = 4});
  ASSERT_EQ(source.batches(), 3);
  EXPECT_EQ(MustLoad(source, 0, 0).target.numel(), 4);
  EXPECT_EQ(MustLoad(source, 0, 2).target.numel(), 2);
  EXPECT_THAT(MustLoad(source, 0, 2).inputs[0].sizes().vec(), ElementsAre(2, 1, 4, 4));
}

std::vector<int64_t> OrderOf(BatchSource& source, int epoch) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < source.batches(); ++i) {
    const Batch batch = MustLoad(source, epoch, i);
    for (int64_t k = 0; k < batch.target.numel(); ++k) {
      order.push_back(SampleOf(batch.inputs[0][k]));
      EXPECT_EQ(batch.target[k].item<int64_t>(), order.back() % 2);
    }
  }
  return order;
}

TEST(Batches, ShuffleTakesEverySampleOnceInANewOrderEachEpoch) {
  const data::LoadedDataset data = Numbered(50);
  BatchSource source(data, *data.train, {.batch_size = 7, .shuffle = true, .seed = 5});
  const std::vector<int64_t> first = OrderOf(source, 0), second = OrderOf(source, 1);
  EXPECT_EQ(std::set<int64_t>(first.begin(), first.end()).size(), 50u);
  EXPECT_NE(first, second);
  EXPECT_EQ(OrderOf(source, 0), first);
  BatchSource other(data, *data.train, {.batch_size = 7, .shuffle = true, .seed = 6});
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
  BatchSource plain(data, *data.train, {.batch_size = 40});
  BatchSource source(data, *data.train,
                     {.batch_size = 40, .augment = {.kind = AugmentKind::kCropFlip}, .seed = 9});
  const at::Tensor originals = MustLoad(plain, 0, 0).inputs[0],
                   changed = MustLoad(source, 3, 0).inputs[0];
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
    BatchSource source(data, *data.train,
                       {.batch_size = 64, .augment = {.kind = AugmentKind::kCrop}, .seed = seed});
    return MustLoad(source, epoch, 0).inputs[0];
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
  data::LoadedDataset data =
      MakeData({1, 4, 4}, std::vector<uint8_t>(16 * 32, 255), std::vector<int64_t>(32, 0));
  data.mean = {0.5f};
  data.stddev = {0.25f};
  BatchSource source(data, *data.train,
                     {.batch_size = 32, .augment = {.kind = AugmentKind::kCrop}});
  const at::Tensor images = MustLoad(source, 0, 0).inputs[0];
  EXPECT_EQ(images.min().item<float>(), -2.0f);
  EXPECT_EQ(images.max().item<float>(), 2.0f);
}

TEST(Batches, ReadingAheadByAnyNumberOfThreadsGivesTheSameBatches) {
  const data::LoadedDataset data = Numbered(50);
  BatchOptions options{.batch_size = 7,
                       .shuffle = true,
                       .augment = {.kind = AugmentKind::kResizedCropFlip},
                       .seed = 5};
  BatchSource plain(data, *data.train, options);
  for (int threads : {1, 3}) {
    options.threads = threads;
    BatchSource ahead(data, *data.train, options);
    // The third epoch is started anew, in its middle.
    for (const auto& [epoch, first] : {std::pair<int, int64_t>{0, 0}, {1, 0}, {4, 2}, {0, 0}}) {
      for (int64_t i = first; i < plain.batches(); ++i) {
        const Batch wanted = MustLoad(plain, epoch, i), batch = MustLoad(ahead, epoch, i);
        EXPECT_TRUE(at::equal(wanted.inputs[0], batch.inputs[0])) << epoch << " " << i;
        EXPECT_TRUE(at::equal(wanted.target, batch.target)) << epoch << " " << i;
      }
    }
  }
}

TEST(Batches, ReadingAheadOfAnEvaluationGoesOnWithTheSameSamples) {
  const data::LoadedDataset data = Numbered(10);
  BatchSource source(data, *data.train, {.batch_size = 4, .threads = 2});
  for (int round = 0; round < 3; ++round) {
    for (int64_t i = 0; i < source.batches(); ++i) {
      EXPECT_EQ(SampleOf(MustLoad(source, 0, i).inputs[0][0]), 4 * i);
    }
  }
}

TEST(Batches, MixUpWeighsASampleAndItsTargetAlike) {
  std::vector<float> numbers, doubled;
  for (int i = 0; i < 40; ++i) {
    numbers.push_back(static_cast<float>(i));
    doubled.push_back(static_cast<float>(2 * i));
  }
  data::LoadedDataset data{.inputs = {{"x", data::ElementType::kFloat32, {1}}},
                           .target = {"y", data::ElementType::kFloat32, {1}}};
  data.train = data::MakeArraySamples({data::MakeColumn("x", {1}, numbers)},
                                      data::MakeColumn("y", {1}, doubled));
  const BatchOptions options{.batch_size = 40, .augment = {.mixup_alpha = 1}, .seed = 3};
  BatchSource source(data, *data.train, options);
  const Batch batch = MustLoad(source, 0, 0), again = MustLoad(source, 0, 0);
  const Batch later = MustLoad(source, 1, 0);
  EXPECT_TRUE(at::equal(batch.inputs[0], again.inputs[0]));
  EXPECT_FALSE(at::equal(batch.inputs[0], later.inputs[0]));
  int mixed = 0;
  for (int64_t i = 0; i < 40; ++i) {
    const float x = batch.inputs[0][i][0].item<float>();
    EXPECT_NEAR(batch.target[i][0].item<float>(), 2 * x, 1e-4);
    mixed += x != static_cast<float>(i) ? 1 : 0;
  }
  EXPECT_GT(mixed, 30);
}

// Every sample is one that can't be read.
class BrokenSamples : public data::SampleSource {
 public:
  int64_t size() const override { return 8; }
  absl::Status ReadInput(int64_t, size_t, absl::Span<char>) const override {
    return absl::InvalidArgumentError("7.jpg: damaged");
  }
  absl::Status ReadTarget(int64_t, absl::Span<char>) const override { return absl::OkStatus(); }
};

TEST(Batches, SampleThatCannotBeReadIsNamedWhereItIsAskedFor) {
  const data::LoadedDataset data = Numbered(1);
  const BrokenSamples broken;
  for (int threads : {0, 2}) {
    BatchSource source(data, broken, {.batch_size = 4, .threads = threads});
    EXPECT_EQ(source.Load(0, 0).status().message(), "7.jpg: damaged");
    EXPECT_EQ(source.Load(0, 1).status().message(), "7.jpg: damaged");
  }
}

TEST(Batches, TensorsTakeTypeAndShapeOfTheModelsInputs) {
  data::LoadedDataset data{
      .inputs = {{"ids", data::ElementType::kInt32, {3}}, {"mask", data::ElementType::kUInt8, {3}}},
      .target = {"y", data::ElementType::kFloat32, {2}}};
  data.train = data::MakeArraySamples({data::MakeColumn<int32_t>("ids", {3}, {1, 2, 3, 4, 5, 6}),
                                       data::MakeColumn<uint8_t>("mask", {3}, {1, 0, 1, 0, 1, 0})},
                                      data::MakeColumn<float>("y", {2}, {1, 2, 3, 4}));
  const BatchLayout layout{.inputs = {{at::kLong, {3}}, {at::kBool, {1, 3}}},
                           .target = {at::kFloat, {2, 1}}};
  BatchSource source(data, *data.train, layout, {.batch_size = 2});
  const Batch batch = MustLoad(source, 0, 0);
  EXPECT_EQ(batch.inputs[0].scalar_type(), at::kLong);
  EXPECT_EQ(batch.inputs[0][1][0].item<int64_t>(), 4);
  EXPECT_EQ(batch.inputs[1].scalar_type(), at::kBool);
  EXPECT_THAT(batch.inputs[1].sizes().vec(), ElementsAre(2, 1, 3));
  EXPECT_TRUE(batch.inputs[1][1][0][1].item<bool>());
  EXPECT_THAT(batch.target.sizes().vec(), ElementsAre(2, 2, 1));
  EXPECT_EQ(batch.target[1][1][0].item<float>(), 4);
}

}  // namespace
}  // namespace mantissa::engine
