// Samples a second that the loader makes, and what a training step pays for them.
//
//   bazel run //tests/bench/server/engine:loader_bench
//
// Load: one thread that reads batches of 32 as training does. Train: SqueezeNet (width 0.25) on
// 3x32x32 with one thread of its own: on a batch that is there already, on batches that the step's
// thread reads, and on batches that another thread reads ahead. items_per_second is samples.

#include <turbojpeg.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ATen/Parallel.h"
#include "base/status.h"
#include "benchmark/benchmark.h"
#include "planner/plan.h"
#include "server/data/array_samples.h"
#include "server/data/dataset.h"
#include "server/data/image.h"
#include "server/data/source.h"
#include "server/engine/batches.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"

namespace mantissa::engine {
namespace {

constexpr int64_t kBatch = 32;
constexpr int64_t kSamples = 8 * kBatch;

std::vector<uint8_t> Pattern(int64_t size) {
  std::vector<uint8_t> pixels(size);
  for (int64_t i = 0; i < size; ++i) pixels[i] = static_cast<uint8_t>(i * i / 97 + i / 3);
  return pixels;
}

// An image of the usual size of ImageNet's, of low and high frequencies.
class Photo {
 public:
  Photo() {
    const std::vector<uint8_t> pixels = Pattern(int64_t{3} * kHeight * kWidth);
    const tjhandle handle = tjInitCompress();
    unsigned long size = 0;
    MANTISSA_CHECK(tjCompress2(handle, pixels.data(), kWidth, 0, kHeight, TJPF_RGB, &memory_, &size,
                               TJSAMP_420, /*quality=*/75, 0) == 0);
    tjDestroy(handle);
    bytes_ = {reinterpret_cast<const char*>(memory_), size};
  }
  ~Photo() { tjFree(memory_); }
  Photo(const Photo&) = delete;

  absl::string_view bytes() const { return bytes_; }

 private:
  static constexpr int kHeight = 375, kWidth = 500;
  unsigned char* memory_ = nullptr;
  absl::string_view bytes_;
};

// The same photo again and again, decoded each time.
class Photos : public data::SampleSource {
 public:
  int64_t size() const override { return kSamples; }
  absl::Status ReadInput(int64_t, size_t, absl::Span<char> out) const override {
    const data::NamedBytes file = {"photo.jpg", photo_.bytes()};
    absl::StatusOr<data::ImageInfo> info = data::ReadImageInfo(file);
    if (!info.ok()) return info.status();
    return data::DecodeImage(file, *info, {3, 224, 224},
                             absl::MakeSpan(reinterpret_cast<uint8_t*>(out.data()), out.size()));
  }
  absl::Status ReadTarget(int64_t, absl::Span<char> out) const override {
    std::memset(out.data(), 0, out.size());
    return absl::OkStatus();
  }
  bool decodes() const override { return true; }

 private:
  const Photo photo_;
};

data::LoadedDataset Images(int64_t side) {
  return {.inputs = {{"x", data::ElementType::kUInt8, {3, side, side}}},
          .target = {"y", data::ElementType::kUInt8, {}, 10},
          .mean = {0.5f, 0.5f, 0.5f},
          .stddev = {0.25f, 0.25f, 0.25f}};
}

data::LoadedDataset SmallImages() {
  data::LoadedDataset data = Images(32);
  data.train =
      data::MakeArraySamples({data::MakeColumn("x", {3, 32, 32}, Pattern(kSamples * 3 * 32 * 32))},
                             data::MakeColumn("y", {}, std::vector<uint8_t>(kSamples, 3)));
  return data;
}

data::LoadedDataset JpegImages() {
  data::LoadedDataset data = Images(224);
  data.train = std::make_shared<Photos>();
  return data;
}

BatchOptions Options(AugmentKind augment, int threads = 0) {
  return {.batch_size = kBatch,
          .shuffle = true,
          .augment = {.kind = augment},
          .seed = 1,
          .threads = threads};
}

void Load(benchmark::State& state, const data::LoadedDataset& data, AugmentKind augment) {
  BatchSource source(data, *data.train, Options(augment));
  int64_t i = 0;
  for (auto _ : state) {
    const int64_t batch = i++;
    absl::StatusOr<Batch> loaded =
        source.Load(static_cast<int>(batch / source.batches()), batch % source.batches());
    MANTISSA_CHECK_OK(loaded);
    benchmark::DoNotOptimize(loaded->inputs[0].const_data_ptr());
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void BM_Load_SmallArrays(benchmark::State& state) {
  Load(state, SmallImages(), AugmentKind::kCropFlip);
}
void BM_Load_SmallArraysResizedCrop(benchmark::State& state) {
  Load(state, SmallImages(), AugmentKind::kResizedCropFlip);
}
void BM_Load_Jpeg(benchmark::State& state) { Load(state, JpegImages(), AugmentKind::kFlip); }
void BM_Load_JpegResizedCrop(benchmark::State& state) {
  Load(state, JpegImages(), AugmentKind::kResizedCropFlip);
}
BENCHMARK(BM_Load_SmallArrays);
BENCHMARK(BM_Load_SmallArraysResizedCrop);
BENCHMARK(BM_Load_Jpeg)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Load_JpegResizedCrop)->Unit(benchmark::kMillisecond);

// `threads` below 0: the same batch for all steps.
void Train(benchmark::State& state, int threads) {
  at::set_num_threads(1);
  auto plan = planner::MakePlan({.model = {.name = "squeezenet", .width = 0.25},
                                 .precision = {.policy = "uniform"},
                                 .batch_size = kBatch});
  MANTISSA_CHECK_OK(plan);
  auto weights = InitialState(plan->graph, plan->request.model, /*seed=*/1);
  MANTISSA_CHECK_OK(weights);
  auto runner =
      StepRunner::Create(*plan, *weights, {.batch_size = kBatch, .loss_scale = {.scale = 1024}});
  MANTISSA_CHECK_OK(runner);
  const data::LoadedDataset data = SmallImages();
  BatchSource source(data, *data.train, Options(AugmentKind::kCropFlip, std::max(threads, 0)));
  absl::StatusOr<Batch> batch = source.Load(0, 0);
  int64_t step = 0;
  for (auto _ : state) {
    if (threads >= 0) {
      batch = source.Load(static_cast<int>(step / source.batches()), step % source.batches());
    }
    MANTISSA_CHECK_OK(batch);
    MANTISSA_CHECK_OK((*runner)->Step(++step, *batch, /*learning_rate=*/0.01));
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void BM_Train_BatchThatIsThere(benchmark::State& state) { Train(state, -1); }
void BM_Train_ReadInTheStep(benchmark::State& state) { Train(state, 0); }
void BM_Train_ReadAhead(benchmark::State& state) { Train(state, 1); }
BENCHMARK(BM_Train_BatchThatIsThere)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Train_ReadInTheStep)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Train_ReadAhead)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace mantissa::engine
