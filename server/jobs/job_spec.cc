#include "server/jobs/job_spec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "server/jobs/dataset_fit.h"
#include "server/jobs/errors.h"
#include "server/jobs/names.h"

namespace mantissa::jobs {
namespace {

constexpr int64_t kDefaultBatchSize = 128;
constexpr int kDefaultEpochs = 200;
constexpr int kMaxEpochs = 100000;
constexpr int64_t kMaxSteps = 1000000000;
constexpr int64_t kMaxAccumulated = 65536;
// Of positions without a label, as in PyTorch.
constexpr int64_t kIgnoreIndex = -100;

// Checks the number in [low, high]; NaN is in no range.
absl::Status CheckRange(absl::string_view field, double given, double low, double high,
                        absl::string_view allowed, absl::string_view remedy) {
  if (given >= low && given <= high) return absl::OkStatus();
  return Invalid(absl::StrCat("training.", field), given, allowed, remedy);
}

// The same for a whole number where 0 stands for a default.
absl::Status CheckCount(absl::string_view field, int64_t given, int64_t high,
                        absl::string_view remedy) {
  if (given >= 0 && given <= high) return absl::OkStatus();
  return Invalid(absl::StrCat("training.", field), given, absl::StrCat("1 to ", high), remedy);
}

template <typename Enum>
absl::Status CheckEnum(absl::string_view field, Enum given, bool valid) {
  if (valid) return absl::OkStatus();
  return Invalid(absl::StrCat("training.", field), static_cast<int>(given),
                 "a value that the API names", "See docs/api.md.");
}

absl::Status CheckEnums(const v1::TrainingSpec& training) {
  RETURN_IF_ERROR(
      CheckEnum("optimizer", training.optimizer(), v1::Optimizer_IsValid(training.optimizer())));
  RETURN_IF_ERROR(
      CheckEnum("schedule", training.schedule(), v1::Schedule_IsValid(training.schedule())));
  RETURN_IF_ERROR(
      CheckEnum("shuffle", training.shuffle(), v1::Shuffle_IsValid(training.shuffle())));
  RETURN_IF_ERROR(
      CheckEnum("augment", training.augment(), v1::Augment_IsValid(training.augment())));
  RETURN_IF_ERROR(CheckEnum("loss", training.loss(), v1::Loss_IsValid(training.loss())));
  return CheckEnum("optimizer_state", training.optimizer_state(),
                   v1::OptimizerState_IsValid(training.optimizer_state()));
}

void FillEnums(v1::TrainingSpec& training) {
  if (training.optimizer() == 0) training.set_optimizer(v1::OPTIMIZER_SGD);
  if (training.schedule() == 0) training.set_schedule(v1::SCHEDULE_COSINE);
  if (training.shuffle() == 0) training.set_shuffle(v1::SHUFFLE_EPOCH);
  if (training.augment() == 0) training.set_augment(v1::AUGMENT_NONE);
  if (training.loss() == 0) training.set_loss(v1::LOSS_CROSS_ENTROPY);
  if (training.optimizer_state() == 0) training.set_optimizer_state(v1::OPTIMIZER_STATE_FP32);
}

absl::Status CheckAndFillLength(int64_t train_samples, v1::TrainingSpec& training) {
  RETURN_IF_ERROR(
      CheckCount("epochs", training.epochs(), kMaxEpochs, "Use 200 as the paper does."));
  RETURN_IF_ERROR(CheckCount("steps", training.steps(), kMaxSteps, "Leave it out for no limit."));
  if (training.epochs() == 0 && training.steps() > 0) {
    const int64_t batch = std::max<int64_t>(1, training.batch_size());
    const int64_t step = batch * std::max(1, training.accumulate_batches());
    const int64_t per_epoch = std::max<int64_t>(1, (train_samples + step - 1) / step);
    const int64_t epochs = (training.steps() + per_epoch - 1) / per_epoch;
    training.set_epochs(static_cast<int32_t>(std::min<int64_t>(epochs, kMaxEpochs)));
  }
  if (training.epochs() == 0) training.set_epochs(kDefaultEpochs);
  return absl::OkStatus();
}

absl::Status CheckAndFillOptimizer(v1::TrainingSpec& training) {
  const bool adamw = training.optimizer() == v1::OPTIMIZER_ADAMW;
  if (!training.has_learning_rate()) training.set_learning_rate(adamw ? 0.001 : 0.1);
  if (!(training.learning_rate() > 0) || !std::isfinite(training.learning_rate())) {
    return Invalid("training.learning_rate", training.learning_rate(), "a finite number above 0",
                   adamw ? "Use 0.001 with AdamW." : "Use 0.1 with SGD.");
  }
  if (!training.has_momentum()) training.set_momentum(0.9);
  RETURN_IF_ERROR(CheckRange("momentum", training.momentum(), 0, std::nextafter(1.0, 0.0),
                             "0.0 to below 1.0", "Use 0.9."));
  if (!training.has_weight_decay()) training.set_weight_decay(0.0005);
  return CheckRange("weight_decay", training.weight_decay(), 0, 1, "0.0 to 1.0", "Use 0.0005.");
}

absl::Status CheckAndFillSchedule(v1::TrainingSpec& training) {
  RETURN_IF_ERROR(CheckRange("warmup_epochs", training.warmup_epochs(), 0, training.epochs(),
                             absl::StrCat("0 to epochs, ", training.epochs()),
                             "Use fewer than `epochs`."));
  RETURN_IF_ERROR(CheckCount("schedule_epochs", training.schedule_epochs(), kMaxEpochs,
                             "Leave it out for all epochs after the warm-up."));
  if (training.schedule_epochs() == 0) {
    training.set_schedule_epochs(std::max(1, training.epochs() - training.warmup_epochs()));
  }
  RETURN_IF_ERROR(CheckCount("step_epochs", training.step_epochs(), kMaxEpochs, "Use 30."));
  if (training.step_epochs() == 0) training.set_step_epochs(30);
  if (!training.has_step_gamma()) training.set_step_gamma(0.1);
  return CheckRange("step_gamma", training.step_gamma(), std::numeric_limits<double>::denorm_min(),
                    1, "above 0.0 to 1.0", "Use 0.1.");
}

bool IsPowerOfTwo(double value) {
  int exponent = 0;
  return std::frexp(value, &exponent) == 0.5;
}

absl::Status CheckAndFillLoss(v1::PolicyName policy, v1::TrainingSpec& training) {
  const bool none = policy == v1::POLICY_NAME_NONE;
  RETURN_IF_ERROR(CheckRange("label_smoothing", training.label_smoothing(), 0,
                             std::nextafter(1.0, 0.0), "0.0 to below 1.0",
                             "Use 0.1 or leave it out."));
  if (!training.has_loss_scale()) training.set_loss_scale(none ? 1 : 65536);
  RETURN_IF_ERROR(CheckRange("loss_scale", training.loss_scale(), 1, std::ldexp(1.0, 40),
                             "a power of two from 1 to 2^40", "Use 65536."));
  if (!IsPowerOfTwo(training.loss_scale())) {
    return Invalid("training.loss_scale", training.loss_scale(), "a power of two from 1 to 2^40",
                   "Use 65536.");
  }
  if (!training.has_dynamic_loss_scale()) training.set_dynamic_loss_scale(!none);
  const bool labels = training.loss() == v1::LOSS_CROSS_ENTROPY || training.loss() == v1::LOSS_NLL;
  if (training.has_ignore_index() && !labels) {
    return Invalid("training.ignore_index", training.ignore_index(),
                   "none with the losses mse and bce", "Leave it out.");
  }
  if (training.label_smoothing() > 0 && training.loss() != v1::LOSS_CROSS_ENTROPY) {
    return Invalid("training.label_smoothing", training.label_smoothing(),
                   "0 with another loss than cross-entropy", "Leave it out.");
  }
  if (labels && !training.has_ignore_index()) training.set_ignore_index(kIgnoreIndex);
  return absl::OkStatus();
}

// What the optimizer does beside its rule.
absl::Status CheckAndFillStep(v1::TrainingSpec& training) {
  RETURN_IF_ERROR(CheckCount("accumulate_batches", training.accumulate_batches(), kMaxAccumulated,
                             "Leave it out for 1."));
  if (training.accumulate_batches() == 0) training.set_accumulate_batches(1);
  RETURN_IF_ERROR(CheckRange("clip_norm", training.clip_norm(), 0,
                             std::numeric_limits<double>::max(), "a finite number above 0",
                             "Leave it out for no limit."));
  return CheckRange("ema_decay", training.ema_decay(), 0, std::nextafter(1.0, 0.0),
                    "above 0.0 to below 1.0", "Use 0.999 or leave it out.");
}

absl::Status CheckAndFillAugment(v1::TrainingSpec& training) {
  const v1::Augment augment = training.augment();
  const bool pads = augment == v1::AUGMENT_CROP || augment == v1::AUGMENT_CROP_FLIP;
  const bool resizes =
      augment == v1::AUGMENT_RESIZED_CROP || augment == v1::AUGMENT_RESIZED_CROP_FLIP;
  RETURN_IF_ERROR(CheckRange("crop_padding", training.crop_padding(), 0, pads ? 1024 : 0,
                             pads ? "1 to 1024" : "0 where nothing is padded",
                             "Leave it out for 4 pixels."));
  if (pads && training.crop_padding() == 0) training.set_crop_padding(4);
  RETURN_IF_ERROR(CheckRange("crop_min_area", training.crop_min_area(), 0, resizes ? 1 : 0,
                             resizes ? "above 0.0 to 1.0" : "0 where nothing is resized",
                             "Leave it out for 0.08."));
  if (resizes && training.crop_min_area() == 0) training.set_crop_min_area(0.08);
  return CheckRange("mixup_alpha", training.mixup_alpha(), 0, 100, "above 0.0 to 100.0",
                    "Use 0.2 or leave it out.");
}

absl::Status CheckAndFillBatchSize(const v1::Dataset& dataset, v1::TrainingSpec& training) {
  if (training.batch_size() == 0) training.set_batch_size(kDefaultBatchSize);
  if (training.batch_size() >= 1 && training.batch_size() <= dataset.train_samples()) {
    return absl::OkStatus();
  }
  return Invalid("training.batch_size", training.batch_size(),
                 absl::StrCat("1 to ", dataset.train_samples(), ", the training samples of `",
                              dataset.name(), "`"),
                 "Use a smaller batch.");
}

}  // namespace

absl::Status CheckAndFillGeneral(v1::JobSpec& spec) {
  RETURN_IF_ERROR(CheckText("name", spec.name(), 128));
  if (spec.labels_size() > kMaxLabels) {
    return Invalid("labels", absl::StrCat(spec.labels_size(), " labels"),
                   absl::StrCat("at most ", kMaxLabels), "Leave some out.");
  }
  for (const auto& [key, value] : spec.labels()) RETURN_IF_ERROR(CheckLabel("labels", key, value));
  RETURN_IF_ERROR(CheckName("dataset", spec.dataset()));
  if (!spec.has_max_retries()) spec.set_max_retries(1);
  if (spec.max_retries() < 0 || spec.max_retries() > 100) {
    return Invalid("max_retries", spec.max_retries(), "0 to 100", "Use 1.");
  }
  return absl::OkStatus();
}

absl::Status CheckAndFillFromModel(const v1::Model& model, const v1::Dataset& dataset,
                                   v1::JobSpec& spec) {
  RETURN_IF_ERROR(CheckAndFillBatchSize(dataset, *spec.mutable_training()));
  const std::string& asked = spec.model().sha256();
  if (!asked.empty() && asked != model.sha256()) {
    return Precondition(
        "MODEL_CHANGED", model.name(),
        absl::StrCat("model.sha256 is ", asked, "; the file of the model `", model.name(), "` has ",
                     model.sha256(), ". Leave it out, or upload that file under another name."));
  }
  spec.mutable_model()->set_sha256(model.sha256());
  const v1::Loss loss = spec.training().loss();
  return CheckDatasetFits(model, dataset, loss == 0 ? v1::LOSS_CROSS_ENTROPY : loss);
}

absl::Status CheckAndFillFromDataset(const v1::Dataset& dataset, v1::JobSpec& spec) {
  RETURN_IF_ERROR(CheckAndFillBatchSize(dataset, *spec.mutable_training()));
  v1::ModelSpec& model = *spec.mutable_model();
  const std::vector<v1::SampleTensor> inputs = InputsOf(dataset);
  if (inputs.size() != 1 || inputs[0].shape_size() != 3) {
    return Invalid("dataset", absl::StrCat("`", dataset.name(), "`, which has no images"),
                   "images [C, H, W] for a built-in model", "Upload a model for such data.");
  }
  if (model.classes() == 0) model.set_classes(std::max(2, dataset.classes()));
  if (model.classes() < dataset.classes()) {
    return Invalid(
        "model.classes", model.classes(),
        absl::StrCat("at least ", dataset.classes(), ", the classes of `", dataset.name(), "`"),
        "Leave it out for as many as the data set has.");
  }
  if (model.input_shape().empty()) *model.mutable_input_shape() = dataset.sample_shape();
  if (!std::equal(model.input_shape().begin(), model.input_shape().end(),
                  dataset.sample_shape().begin(), dataset.sample_shape().end())) {
    return Invalid("model.input_shape", absl::StrJoin(model.input_shape(), "x"),
                   absl::StrCat(absl::StrJoin(dataset.sample_shape(), "x"), ", the samples of `",
                                dataset.name(), "`"),
                   "Leave it out for the data set's own.");
  }
  return absl::OkStatus();
}

absl::Status CheckAndFillTraining(const TrainingContext& context, v1::TrainingSpec& training) {
  RETURN_IF_ERROR(CheckEnums(training));
  FillEnums(training);
  RETURN_IF_ERROR(CheckAndFillLength(context.train_samples, training));
  RETURN_IF_ERROR(CheckAndFillOptimizer(training));
  RETURN_IF_ERROR(CheckAndFillSchedule(training));
  RETURN_IF_ERROR(CheckAndFillLoss(context.policy, training));
  RETURN_IF_ERROR(CheckAndFillStep(training));
  RETURN_IF_ERROR(CheckAndFillAugment(training));
  if (!training.init_sha256().empty()) {
    RETURN_IF_ERROR(CheckSha256("training.init_sha256", training.init_sha256()));
  }
  RETURN_IF_ERROR(CheckCount("evaluate_every", training.evaluate_every(), kMaxEpochs, "Use 1."));
  if (training.evaluate_every() == 0) training.set_evaluate_every(1);
  RETURN_IF_ERROR(
      CheckCount("threads", training.threads(), 1024, "Leave it out for the server's choice."));
  if (training.threads() == 0) training.set_threads(context.default_threads);
  RETURN_IF_ERROR(CheckCount("loader_threads", training.loader_threads(), 256,
                             "Leave it out for the server's choice."));
  return absl::OkStatus();
}

v1::PlanRequest PlanRequestOf(const v1::JobSpec& spec) {
  v1::PlanRequest request;
  *request.mutable_model() = spec.model();
  *request.mutable_precision() = spec.precision();
  const v1::TrainingSpec& training = spec.training();
  request.set_batch_size(training.batch_size());
  request.set_optimizer(training.optimizer());
  request.set_optimizer_state(training.optimizer_state());
  request.set_loss(training.loss());
  request.set_label_smoothing(training.label_smoothing());
  if (training.has_ignore_index()) request.set_ignore_index(training.ignore_index());
  request.set_accumulate_batches(training.accumulate_batches());
  request.set_clip_norm(training.clip_norm());
  request.set_ema_decay(training.ema_decay());
  return request;
}

}  // namespace mantissa::jobs
