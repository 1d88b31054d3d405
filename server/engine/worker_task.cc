#include "server/engine/worker_task.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>

namespace mantissa::engine {
namespace {

// Names of classes beyond this are left out: a message has room for 4 MiB.
constexpr size_t kMaxClassNameBytes = size_t{1} << 20;

template <typename Message>
data::LoadOptions CommonOptions(const Message& message) {
  data::LoadOptions options;
  if (message.test_fraction() > 0) options.test_fraction = message.test_fraction();
  options.split_seed = message.split_seed();
  options.mean.assign(message.mean().begin(), message.mean().end());
  options.stddev.assign(message.stddev().begin(), message.stddev().end());
  const v1::ReadOptions& read = message.read();
  options.format = read.format();
  options.inputs.assign(read.inputs().begin(), read.inputs().end());
  options.target = read.target();
  options.sequence_length = read.sequence_length();
  options.sequence_stride = read.sequence_stride();
  options.vocabulary = read.vocabulary();
  options.token_bytes = read.token_bytes();
  if (read.image_size_size() == 2) {
    options.image_height = read.image_size(0);
    options.image_width = read.image_size(1);
  }
  if (read.has_ignore_index()) options.ignore_index = read.ignore_index();
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return options;
}

// As the model gets it.
v1::SampleTensor TensorOf(const data::SampleTensor& tensor, bool is_input) {
  v1::SampleTensor message;
  message.set_name(tensor.name);
  message.set_data_type(tensor.is_float(is_input) ? v1::DATA_TYPE_FLOAT32 : v1::DATA_TYPE_INT64);
  message.mutable_shape()->Assign(tensor.shape.begin(), tensor.shape.end());
  message.set_classes(tensor.classes);
  return message;
}

// As asked for, with what was found.
v1::ReadOptions ReadOptionsOf(const v1::ReadOptions& asked, const data::LoadedDataset& data) {
  v1::ReadOptions read = asked;
  read.set_format(data.format);
  if (data.format != "tokens") return read;
  read.set_vocabulary(data.target.classes);
  if (read.sequence_stride() == 0) read.set_sequence_stride(read.sequence_length());
  if (read.token_bytes() == 0) read.set_token_bytes(2);
  return read;
}

planner::OptimizerKind OptimizerOf(v1::Optimizer optimizer) {
  return optimizer == v1::OPTIMIZER_ADAMW ? planner::OptimizerKind::kAdamW
                                          : planner::OptimizerKind::kSgd;
}

ScheduleKind ScheduleOf(v1::Schedule schedule) {
  switch (schedule) {
    case v1::SCHEDULE_STEP:
      return ScheduleKind::kStep;
    case v1::SCHEDULE_CONSTANT:
      return ScheduleKind::kConstant;
    default:
      return ScheduleKind::kCosine;
  }
}

RoundingMode RoundingOf(v1::Rounding rounding) {
  switch (rounding) {
    case v1::ROUNDING_NEAREST_AWAY:
      return RoundingMode::kNearestAway;
    case v1::ROUNDING_STOCHASTIC:
      return RoundingMode::kStochastic;
    case v1::ROUNDING_REFERENCE:
      return RoundingMode::kReference;
    default:
      return RoundingMode::kNearestEven;
  }
}

AugmentKind KindOf(v1::Augment augment) {
  switch (augment) {
    case v1::AUGMENT_CROP_FLIP:
      return AugmentKind::kCropFlip;
    case v1::AUGMENT_CROP:
      return AugmentKind::kCrop;
    case v1::AUGMENT_FLIP:
      return AugmentKind::kFlip;
    case v1::AUGMENT_RESIZED_CROP:
      return AugmentKind::kResizedCrop;
    case v1::AUGMENT_RESIZED_CROP_FLIP:
      return AugmentKind::kResizedCropFlip;
    default:
      return AugmentKind::kNone;
  }
}

AugmentOptions AugmentOf(const v1::TrainingSpec& training) {
  AugmentOptions augment{.kind = KindOf(training.augment())};
  if (training.crop_padding() > 0) augment.padding = training.crop_padding();
  if (training.crop_min_area() > 0) augment.min_area = training.crop_min_area();
  augment.mixup_alpha = training.mixup_alpha();
  return augment;
}

}  // namespace

data::LoadOptions LoadOptionsOf(const v1::Dataset& dataset) { return CommonOptions(dataset); }

data::LoadOptions LoadOptionsOf(const v1::CreateDatasetRequest& request) {
  return CommonOptions(request);
}

v1::Dataset DatasetOf(const v1::CreateDatasetRequest& request, const data::LoadedDataset& data) {
  v1::Dataset dataset;
  dataset.set_name(request.name());
  *dataset.mutable_files() = request.files();
  int64_t size = 0;
  for (const v1::DatasetFile& file : request.files()) size += file.size_bytes();
  dataset.set_size_bytes(size);
  dataset.set_format(data.format);
  dataset.set_train_samples(data.train->size());
  dataset.set_test_samples(data.test->size());
  *dataset.mutable_read() = ReadOptionsOf(request.read(), data);
  for (const data::SampleTensor& input : data.inputs) {
    *dataset.add_inputs() = TensorOf(input, /*is_input=*/true);
  }
  *dataset.mutable_target() = TensorOf(data.target, /*is_input=*/false);
  *dataset.mutable_sample_shape() = dataset.inputs(0).shape();
  dataset.set_classes(static_cast<int32_t>(data.target.classes));
  size_t name_bytes = 0;
  for (const std::string& name : data.class_names) name_bytes += name.size() + 4;
  if (name_bytes <= kMaxClassNameBytes) {
    dataset.mutable_class_names()->Assign(data.class_names.begin(), data.class_names.end());
  }
  dataset.mutable_mean()->Assign(data.mean.begin(), data.mean.end());
  dataset.mutable_stddev()->Assign(data.stddev.begin(), data.stddev.end());
  dataset.set_test_fraction(LoadOptionsOf(request).test_fraction);
  dataset.set_split_seed(request.split_seed());
  return dataset;
}

TrainingOptions TrainingOptionsOf(const internal::v1::TrainTask& task, const planner::Plan& plan,
                                  int threads) {
  const v1::TrainingSpec& training = task.spec().training();
  const v1::PrecisionSpec& precision = task.spec().precision();
  TrainingOptions options;
  options.epochs = training.epochs();
  options.max_steps = training.steps();
  options.batch_size = plan.request.batch_size;
  options.optimizer = OptimizerOf(training.optimizer());
  options.optimizer_state = plan.request.optimizer_state;
  options.learning_rate = training.learning_rate();
  options.momentum = training.momentum();
  options.weight_decay = training.weight_decay();
  options.schedule = ScheduleOf(training.schedule());
  options.schedule_epochs = training.schedule_epochs();
  options.step_epochs = training.step_epochs();
  options.step_gamma = training.step_gamma();
  options.warmup_epochs = training.warmup_epochs();
  options.label_smoothing = training.label_smoothing();
  options.loss_scale = training.loss_scale();
  options.dynamic_loss_scale = training.dynamic_loss_scale();
  options.promotion_threshold = precision.promotion_threshold();
  options.rounding = RoundingOf(precision.rounding());
  options.seed = training.seed();
  options.shuffle = training.shuffle() != v1::SHUFFLE_NONE;
  options.augment = AugmentOf(training);
  options.loader_threads = training.loader_threads();
  options.evaluate_every = training.evaluate_every();
  options.threads = training.threads() > 0 ? training.threads() : threads;
  options.round = precision.policy() != v1::POLICY_NAME_NONE;
  options.storage = plan.request.packed ? Storage::kPacked : Storage::kEmulated;
  options.model = plan.request.model;
  return options;
}

}  // namespace mantissa::engine
