#include "server/engine/worker_task.h"

#include <cstdint>
#include <string>

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
  return options;
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

AugmentKind AugmentOf(v1::Augment augment) {
  switch (augment) {
    case v1::AUGMENT_CROP_FLIP:
      return AugmentKind::kCropFlip;
    case v1::AUGMENT_CROP:
      return AugmentKind::kCrop;
    default:
      return AugmentKind::kNone;
  }
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
  dataset.set_train_samples(data.train.size());
  dataset.set_test_samples(data.test.size());
  for (int64_t side : {data.channels, data.height, data.width}) dataset.add_sample_shape(side);
  dataset.set_classes(static_cast<int32_t>(data.classes));
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
  options.augment = AugmentOf(training.augment());
  options.evaluate_every = training.evaluate_every();
  options.threads = training.threads() > 0 ? training.threads() : threads;
  options.round = precision.policy() != v1::POLICY_NAME_NONE;
  options.storage = plan.request.packed ? Storage::kPacked : Storage::kEmulated;
  options.model = plan.request.model;
  return options;
}

}  // namespace mantissa::engine
