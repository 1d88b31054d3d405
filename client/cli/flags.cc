#include "client/cli/flags.h"

namespace mantissa::cli {
namespace {

using enum FlagType;

// The same flag for a command whose message has the field elsewhere.
constexpr Flag InField(Flag flag, const char* field) {
  flag.field = field;
  return flag;
}

// Of every command.
constexpr Flag kServer = {
    .names = "-s,--server",
    .type = kText,
    .value = "HOST:PORT",
    .default_text = "127.0.0.1:7070",
    .help = "Server to talk to; unix:PATH for a Unix socket.",
    .environment = "MANTISSA_SERVER",
    .setting = "server",
};
constexpr Flag kTokenFile = {
    .names = "--token-file",
    .type = kPath,
    .value = "FILE",
    .help =
        "File whose first line is the token to show to the server; MANTISSA_TOKEN may hold the "
        "token itself.",
    .environment = "MANTISSA_TOKEN_FILE",
    .setting = "token_file",
};
constexpr Flag kTlsCa = {
    .names = "--tls-ca",
    .type = kPath,
    .value = "FILE",
    .help =
        "Encrypt, and accept only a server whose certificate comes from those in this PEM "
        "file.",
    .environment = "MANTISSA_TLS_CA",
    .setting = "tls_ca",
};
constexpr Flag kTimeout = {
    .names = "--timeout",
    .type = kText,
    .value = "TIME",
    .default_text = "30s",
    .help = "Most time for one call, for instance 500ms, 30s or 2m. Streams are not limited.",
    .setting = "timeout",
};
constexpr Flag kOutput = {
    .names = "-o,--output",
    .type = kChoice,
    .default_text = "table",
    .help = "Text for people, or JSON for programs.",
    .choices = "table|json",
    .setting = "output",
};
constexpr Flag kHelp = {
    .names = "-h,--help",
    .type = kSwitch,
    .help = "Print help and end.",
};
constexpr Flag kVersion = {
    .names = "--version",
    .type = kSwitch,
    .help = "Print the version and end.",
};

// A model and its shapes, in PlanRequest and JobSpec.
constexpr Flag kModel = {
    .names = "-m,--model",
    .type = kText,
    .value = "MODEL",
    .help =
        "Model: built in (builtin:resnet18), uploaded, or a file of torch.export, which is "
        "uploaded "
        "once. `mantissa model list` shows those that have names.",
    .field = "model.model",
};
constexpr Flag kWidth = {
    .names = "--width",
    .type = kNumber,
    .value = "X",
    .default_text = "1.0",
    .help = "Width multiplier of the channels, one of those the model offers.",
    .field = "model.width",
    .above_zero = true,
};
constexpr Flag kClasses = {
    .names = "--classes",
    .type = kNumber,
    .value = "N",
    .help = "Number of classes, 2 to 1,000,000. A job takes it from its data set if not given.",
    .field = "model.classes",
    .above_zero = true,
};
constexpr Flag kInput = {
    .names = "--input",
    .type = kList,
    .value = "CxHxW",
    .help =
        "Shape of one input: channels, height, width. Default: the data set's, or 3x32x32 "
        "where there is none.",
    .field = "model.input_shape",
};

constexpr Flag kFreeze = {
    .names = "--freeze",
    .type = kList,
    .value = "PATTERN,...",
    .help = "Parameters that are not trained: patterns of names, * for any characters, ? for one.",
    .field = "model.freeze",
};

// The same in GetModelRequest.
constexpr Flag kDescribeWidth = InField(kWidth, "spec.width");
constexpr Flag kDescribeClasses = {
    .names = "--classes",
    .type = kNumber,
    .value = "N",
    .default_text = "10",
    .help = "Number of classes, 2 to 1,000,000.",
    .field = "spec.classes",
    .above_zero = true,
};
constexpr Flag kDescribeInput = {
    .names = "--input",
    .type = kList,
    .value = "CxHxW",
    .default_text = "3x32x32",
    .help = "Shape of one input: channels, height, width.",
    .field = "spec.input_shape",
};

constexpr Flag kDescribeLoss = {
    .names = "--loss",
    .type = kChoice,
    .default_text = "cross-entropy, or mse where the output does not take that",
    .help =
        "Loss that the description goes up to: cross-entropy of logits, nll of log-probabilities, "
        "mse, or bce of logits.",
    .field = "loss",
};
constexpr Flag kDescribeFreeze = InField(kFreeze, "spec.freeze");

// Precision.
constexpr Flag kPolicy = {
    .names = "-p,--policy",
    .type = kChoice,
    .default_text = "demotion",
    .help =
        "How precision is assigned. none trains in fp32; demotion makes the largest groups low "
        "until the ratio is reached; uniform all; operator those of convolutions and linear "
        "layers; autocast the inputs of these; increasing the smallest groups first; random in "
        "a random order; explicit the groups of --low-groups; budget the groups first that lower "
        "the predicted peak most for the fewest elements.",
    .field = "precision.policy",
};
constexpr Flag kLowRatio = {
    .names = "-r,--low-ratio",
    .type = kNumber,
    .value = "0..1",
    .default_text = "0.5, or 1.0 with uniform",
    .help =
        "Share of elements to put in low precision. No effect with none, operator, autocast, "
        "explicit; --memory chooses it.",
    .field = "precision.low_ratio",
};
constexpr Flag kLowGroups = {
    .names = "--low-groups",
    .type = kList,
    .value = "IDS",
    .help = "Ids of the low groups with --policy explicit: 0,3,5, or @FILE with the ids in a file.",
    .field = "precision.low_groups",
};
constexpr Flag kPolicySeed = {
    .names = "--policy-seed",
    .type = kNumber,
    .value = "N",
    .default_text = "0",
    .help = "Seed of the order of --policy random.",
    .field = "precision.seed",
};
constexpr Flag kPromotionThreshold = {
    .names = "--promotion-threshold",
    .type = kNumber,
    .value = "0..2",
    .default_text = "0.01",
    .help =
        "Overflow ratio in a step from which on an activation or weight becomes high; above 1 "
        "never.",
    .field = "precision.promotion_threshold",
};
constexpr Flag kRounding = {
    .names = "--rounding",
    .type = kChoice,
    .default_text = "nearest-even",
    .help = "How values between two representable ones are rounded.",
    .field = "precision.rounding",
};
constexpr Flag kMemory = {
    .names = "--memory",
    .type = kSize,
    .value = "SIZE",
    .help =
        "Most memory for the tensors of a step, as predicted: 8GiB, 600MB, 1.5GiB, or bytes. With "
        "demotion, budget, increasing and random the smallest low ratio that fits is taken, and "
        "where that is not enough cheap operators are recomputed. Default: no limit.",
    .field = "precision.memory_bytes",
};
constexpr Flag kRecompute = {
    .names = "--recompute",
    .type = kChoice,
    .default_text = "auto",
    .help =
        "What the backward pass computes again instead of keeping it: auto as little as --memory "
        "needs, none nothing, cheap every batch norm, ReLU, addition, concatenation, slice and "
        "pooling where that saves memory.",
    .field = "precision.recompute",
};
constexpr Flag kStorage = {
    .names = "--storage",
    .type = kChoice,
    .default_text = "packed",
    .help =
        "packed keeps each tensor in the bytes of its format; emulated keeps the same values in 4 "
        "bytes each, for comparisons.",
    .field = "precision.storage",
};
constexpr Flag kRecipe = {
    .names = "--recipe",
    .type = kChoice,
    .default_text = "paper",
    .help =
        "paper computes in fp32 and high precision is fp(6,9,0); bf16 computes in bf16, which is "
        "then high precision too.",
    .field = "precision.recipe",
};
constexpr Flag kPlanOptimizer = {
    .names = "--optimizer",
    .type = kChoice,
    .default_text = "sgd",
    .help = "Optimizer that the memory is predicted for.",
    .field = "optimizer",
};
constexpr Flag kPlanOptimizerState = {
    .names = "--optimizer-state",
    .type = kChoice,
    .default_text = "fp32",
    .help = "How the optimizer's moments are stored: in 4 bytes, 2 bytes or a byte an element.",
    .field = "optimizer_state",
};
constexpr Flag kPlanBatchSize = {
    .names = "-b,--batch-size",
    .type = kNumber,
    .value = "N",
    .default_text = "128",
    .help = "Samples a step, 1 to 1,048,576.",
    .field = "batch_size",
    .above_zero = true,
};
constexpr Flag kPlanLoss = {
    .names = "--loss",
    .type = kChoice,
    .default_text = "cross-entropy",
    .help =
        "What is minimised: cross-entropy of logits, nll of log-probabilities, mse, or bce of "
        "logits.",
    .field = "loss",
};
constexpr Flag kPlanLabelSmoothing = {
    .names = "--label-smoothing",
    .type = kNumber,
    .value = "X",
    .default_text = "0",
    .help = "Label smoothing of cross-entropy, 0 to below 1.",
    .field = "label_smoothing",
};
constexpr Flag kPlanIgnoreIndex = {
    .names = "--ignore-index",
    .type = kNumber,
    .value = "N",
    .default_text = "-100",
    .help = "Class number of positions that cross-entropy and nll leave out.",
    .field = "ignore_index",
};
constexpr Flag kPlanAccumulate = {
    .names = "--accumulate",
    .type = kNumber,
    .value = "N",
    .default_text = "1",
    .help = "Batches whose gradients are added up for a step.",
    .field = "accumulate_batches",
    .above_zero = true,
};
constexpr Flag kPlanClipNorm = {
    .names = "--clip-norm",
    .type = kNumber,
    .value = "X",
    .help = "Largest norm of all gradients together, above 0. Default: no limit.",
    .field = "clip_norm",
    .above_zero = true,
};
constexpr Flag kPlanEma = {
    .names = "--ema",
    .type = kNumber,
    .value = "X",
    .help =
        "Decay of a moving average of the weights, which is evaluated and kept beside them; above "
        "0 to below 1. Default: none.",
    .field = "ema_decay",
    .above_zero = true,
};
constexpr Flag kLocal = {
    .names = "--local",
    .type = kSwitch,
    .help =
        "Answer from this program even where a server is configured. Without one it always "
        "does.",
};

// Training.
constexpr Flag kDataset = {
    .names = "-d,--dataset",
    .type = kText,
    .value = "NAME",
    .help = "Data set to train on; `mantissa dataset push` makes one.",
    .field = "dataset",
};
constexpr Flag kEpochs = {
    .names = "-e,--epochs",
    .type = kNumber,
    .value = "N",
    .default_text = "200, or what --steps needs",
    .help = "Epochs to train, 1 to 100,000.",
    .field = "training.epochs",
    .above_zero = true,
};
constexpr Flag kSteps = {
    .names = "--steps",
    .type = kNumber,
    .value = "N",
    .help = "Most steps in all. Default: no limit but --epochs.",
    .field = "training.steps",
    .above_zero = true,
};
constexpr Flag kBatchSize = {
    .names = "-b,--batch-size",
    .type = kNumber,
    .value = "N",
    .default_text = "128",
    .help = "Samples a step, at most the training samples.",
    .field = "training.batch_size",
    .above_zero = true,
};
constexpr Flag kOptimizer = {
    .names = "--optimizer",
    .type = kChoice,
    .default_text = "sgd",
    .help = "Optimizer: stochastic gradient descent with momentum, or AdamW.",
    .field = "training.optimizer",
};
constexpr Flag kOptimizerState = InField(kPlanOptimizerState, "training.optimizer_state");
constexpr Flag kLr = {
    .names = "--lr",
    .type = kNumber,
    .value = "X",
    .default_text = "0.1 with sgd, 0.001 with adamw",
    .help = "Learning rate, above 0.",
    .field = "training.learning_rate",
};
constexpr Flag kMomentum = {
    .names = "--momentum",
    .type = kNumber,
    .value = "X",
    .default_text = "0.9",
    .help = "Momentum of sgd, 0 to below 1.",
    .field = "training.momentum",
};
constexpr Flag kWeightDecay = {
    .names = "--weight-decay",
    .type = kNumber,
    .value = "X",
    .default_text = "0.0005",
    .help = "Weight decay on every parameter that is trained, 0 to 1.",
    .field = "training.weight_decay",
};
constexpr Flag kSchedule = {
    .names = "--schedule",
    .type = kChoice,
    .default_text = "cosine",
    .help = "Course of the learning rate, stepped once an epoch.",
    .field = "training.schedule",
};
constexpr Flag kScheduleEpochs = {
    .names = "--schedule-epochs",
    .type = kNumber,
    .value = "N",
    .default_text = "all epochs after the warm-up",
    .help = "Epochs over which the cosine runs.",
    .field = "training.schedule_epochs",
    .above_zero = true,
};
constexpr Flag kStepEpochs = {
    .names = "--step-epochs",
    .type = kNumber,
    .value = "N",
    .default_text = "30",
    .help = "Epochs between two steps of --schedule step.",
    .field = "training.step_epochs",
    .above_zero = true,
};
constexpr Flag kStepGamma = {
    .names = "--step-gamma",
    .type = kNumber,
    .value = "X",
    .default_text = "0.1",
    .help = "Factor of each step of --schedule step, above 0 to 1.",
    .field = "training.step_gamma",
};
constexpr Flag kWarmupEpochs = {
    .names = "--warmup-epochs",
    .type = kNumber,
    .value = "N",
    .default_text = "0",
    .help = "Epochs of linear warm-up before the schedule.",
    .field = "training.warmup_epochs",
};
constexpr Flag kLabelSmoothing = {
    .names = "--label-smoothing",
    .type = kNumber,
    .value = "X",
    .default_text = "0",
    .help = "Label smoothing, 0 to below 1.",
    .field = "training.label_smoothing",
};
constexpr Flag kLossScale = {
    .names = "--loss-scale",
    .type = kNumber,
    .value = "X",
    .default_text = "65536, or 1 with --policy none",
    .help = "First loss scale, a power of two from 1 to 2^40.",
    .field = "training.loss_scale",
};
constexpr Flag kDynamicLossScale = {
    .names = "--dynamic-loss-scale",
    .type = kChoice,
    .default_text = "true, or false with --policy none",
    .help =
        "Whether the loss scale adapts: it halves when a gradient is not finite, and grows "
        "again.",
    .field = "training.dynamic_loss_scale",
};
constexpr Flag kSeed = {
    .names = "--seed",
    .type = kNumber,
    .value = "N",
    .default_text = "0",
    .help = "Seed of weights, order, augmentation and stochastic rounding.",
    .field = "training.seed",
};
constexpr Flag kShuffle = {
    .names = "--shuffle",
    .type = kChoice,
    .default_text = "epoch",
    .help = "Order of the samples: a new one each epoch, or the data set's.",
    .field = "training.shuffle",
};
constexpr Flag kAugment = {
    .names = "--augment",
    .type = kChoice,
    .default_text = "none",
    .help =
        "Random changes to training images: a horizontal flip; padding and a crop; a crop of "
        "random size and shape that is resized.",
    .field = "training.augment",
};
constexpr Flag kEvaluateEvery = {
    .names = "--evaluate-every",
    .type = kNumber,
    .value = "N",
    .default_text = "1",
    .help = "Epochs between two evaluations. The last epoch always ends with one.",
    .field = "training.evaluate_every",
    .above_zero = true,
};
constexpr Flag kThreads = {
    .names = "--threads",
    .type = kNumber,
    .value = "N",
    .help = "Parallel threads of the worker, 1 to 1,024. Default: the server's choice.",
    .field = "training.threads",
};

constexpr Flag kLoss = InField(kPlanLoss, "training.loss");
constexpr Flag kIgnoreIndex = InField(kPlanIgnoreIndex, "training.ignore_index");
constexpr Flag kAccumulate = {
    .names = "--accumulate",
    .type = kNumber,
    .value = "N",
    .default_text = "1",
    .help =
        "Batches whose gradients are added up for a step. A step takes so many times --batch-size "
        "samples.",
    .field = "training.accumulate_batches",
    .above_zero = true,
};
constexpr Flag kClipNorm = InField(kPlanClipNorm, "training.clip_norm");
constexpr Flag kEma = InField(kPlanEma, "training.ema_decay");
constexpr Flag kCropPadding = {
    .names = "--crop-padding",
    .type = kNumber,
    .value = "N",
    .default_text = "4",
    .help = "Pixels of padding before a crop of --augment crop and crop-flip.",
    .field = "training.crop_padding",
    .above_zero = true,
};
constexpr Flag kCropMinArea = {
    .names = "--crop-min-area",
    .type = kNumber,
    .value = "X",
    .default_text = "0.08",
    .help = "Smallest share of the area that a resized crop takes, above 0 to 1.",
    .field = "training.crop_min_area",
    .above_zero = true,
};
constexpr Flag kMixup = {
    .names = "--mixup",
    .type = kNumber,
    .value = "X",
    .help = "Mix-up of two samples by a weight from Beta(X, X), above 0 to 100. Default: none.",
    .field = "training.mixup_alpha",
    .above_zero = true,
};
constexpr Flag kLoaderThreads = {
    .names = "--loader-threads",
    .type = kNumber,
    .value = "N",
    .help = "Threads that read and decode samples, 1 to 256. Default: the server's choice.",
    .field = "training.loader_threads",
    .above_zero = true,
};

// The job.
constexpr Flag kName = {
    .names = "-n,--name",
    .type = kText,
    .value = "TEXT",
    .help = "Name for people, at most 128 bytes.",
    .field = "name",
};
constexpr Flag kLabels = {
    .names = "-l,--labels",
    .type = kMap,
    .value = "KEY=VALUE,...",
    .help = "Labels to find the job by. May be given several times.",
    .field = "labels",
};
constexpr Flag kMaxRetries = {
    .names = "--max-retries",
    .type = kNumber,
    .value = "N",
    .default_text = "1",
    .help = "How often the job is started again when its worker dies, 0 to 100.",
    .field = "max_retries",
};
constexpr Flag kFile = {
    .names = "-f,--file",
    .type = kPath,
    .value = "FILE",
    .help = "Job as proto JSON (a mantissa.v1.JobSpec); - reads standard input. Flags override it.",
};
constexpr Flag kInit = {
    .names = "--init",
    .type = kPath,
    .value = "FILE",
    .help = "Start from the weights of this .safetensors file; it is uploaded first.",
};
constexpr Flag kRequestId = {
    .names = "--request-id",
    .type = kText,
    .value = "KEY",
    .help =
        "Key of this request: sent again with the same job, it returns the first job instead "
        "of making another. Default: a random one.",
};
constexpr Flag kWait = {
    .names = "-w,--wait",
    .type = kSwitch,
    .help = "Follow the job and return its result. Ctrl-C leaves it running.",
};
constexpr Flag kDryRun = {
    .names = "--dry-run",
    .type = kSwitch,
    .help = "Print the job as JSON and submit nothing.",
};

// Data sets.
constexpr Flag kTestFraction = {
    .names = "--test-fraction",
    .type = kNumber,
    .value = "0..1",
    .default_text = "0.2",
    .help = "Share of samples kept for testing where the files have no split of their own.",
    .field = "test_fraction",
};
constexpr Flag kSplitSeed = {
    .names = "--split-seed",
    .type = kNumber,
    .value = "N",
    .default_text = "0",
    .help = "Seed of that split.",
    .field = "split_seed",
};
constexpr Flag kMean = {
    .names = "--mean",
    .type = kList,
    .value = "X,...",
    .help = "Mean of each channel after scaling to 0..1. Default: the training set's own.",
    .field = "mean",
};
constexpr Flag kStddev = {
    .names = "--stddev",
    .type = kList,
    .value = "X,...",
    .help = "Deviation of each channel, each above 0; give both or none.",
    .field = "stddev",
};

constexpr Flag kFormat = {
    .names = "--format",
    .type = kText,
    .value = "FORMAT",
    .help =
        "What the files are, where names and first bytes do not tell: cifar10, cifar100, idx, npz, "
        "image-folder, safetensors, tokens, webdataset.",
    .field = "read.format",
};
constexpr Flag kInputs = {
    .names = "--inputs",
    .type = kList,
    .value = "NAME,...",
    .default_text = "x",
    .help =
        "Arrays of a .npz or .safetensors that are inputs, in the order in which the model takes "
        "them.",
    .field = "read.inputs",
};
constexpr Flag kTarget = {
    .names = "--target",
    .type = kText,
    .value = "NAME",
    .default_text = "y",
    .help = "Array of a .npz or .safetensors that the targets are in.",
    .field = "read.target",
};
constexpr Flag kSequenceLength = {
    .names = "--sequence-length",
    .type = kNumber,
    .value = "N",
    .help = "Tokens of a sample, for token files.",
    .field = "read.sequence_length",
    .above_zero = true,
};
constexpr Flag kSequenceStride = {
    .names = "--sequence-stride",
    .type = kNumber,
    .value = "N",
    .default_text = "the sequence length",
    .help = "Tokens from the start of a sample to that of the next.",
    .field = "read.sequence_stride",
    .above_zero = true,
};
constexpr Flag kVocabulary = {
    .names = "--vocabulary",
    .type = kNumber,
    .value = "N",
    .default_text = "the largest found and one",
    .help = "Tokens are below this number.",
    .field = "read.vocabulary",
    .above_zero = true,
};
constexpr Flag kTokenBytes = {
    .names = "--token-bytes",
    .type = kNumber,
    .value = "N",
    .default_text = "2",
    .help = "Bytes of a token, 1, 2 or 4, where the file does not say.",
    .field = "read.token_bytes",
    .above_zero = true,
};
constexpr Flag kImageSize = {
    .names = "--image-size",
    .type = kList,
    .value = "HxW",
    .help = "Height and width that images are resized to. Default: images must be of one size.",
    .field = "read.image_size",
};
constexpr Flag kLabelIgnored = {
    .names = "--ignore-index",
    .type = kNumber,
    .value = "N",
    .default_text = "-100",
    .help = "Label that stands for none.",
    .field = "read.ignore_index",
};

// Lists, streams, files.
constexpr Flag kState = {
    .names = "--state",
    .type = kList,
    .value = "STATE,...",
    .help =
        "Only jobs in one of these states: pending, planning, running, succeeded, failed, "
        "cancelled.",
    .field = "states",
};
constexpr Flag kLabel = {
    .names = "-l,--label",
    .type = kMap,
    .value = "KEY=VALUE,...",
    .help = "Only jobs with all these labels. May be given several times.",
    .field = "labels",
};
constexpr Flag kNamePrefix = {
    .names = "-n,--name",
    .type = kText,
    .value = "PREFIX",
    .help = "Only jobs whose name starts with this.",
    .field = "name_prefix",
};
constexpr Flag kLimit = {
    .names = "--limit",
    .type = kNumber,
    .value = "N",
    .default_text = "100",
    .help = "Most jobs to list, the newest first; 0 lists all.",
};
constexpr Flag kAfter = {
    .names = "--after",
    .type = kNumber,
    .value = "SEQUENCE",
    .default_text = "0",
    .help = "Only events after the one of this sequence number.",
};
constexpr Flag kFollow = {
    .names = "-f,--follow",
    .type = kSwitch,
    .help = "Go on until the job ends.",
};
constexpr Flag kOffset = {
    .names = "--offset",
    .type = kNumber,
    .value = "BYTE",
    .default_text = "0",
    .help = "First byte of the log to print.",
};
constexpr Flag kRaw = {
    .names = "--raw",
    .type = kSwitch,
    .help = "Print the bytes as they are. Without it control characters are made visible.",
};
constexpr Flag kTo = {
    .names = "--to",
    .type = kPath,
    .value = "PATH",
    .help = "File or folder to write to; - is standard output. Default: the artifact's name, here.",
};

}  // namespace

FlagList Join(std::initializer_list<FlagList> lists) {
  FlagList all;
  for (const FlagList& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

const FlagList& GlobalFlags() {
  static const FlagList flags = {&kServer, &kTokenFile, &kTlsCa,  &kTimeout,
                                 &kOutput, &kHelp,      &kVersion};
  return flags;
}

const FlagList& PlanFlags() {
  static const FlagList flags = {&kModel,           &kWidth,
                                 &kClasses,         &kInput,
                                 &kFreeze,          &kPlanBatchSize,
                                 &kPolicy,          &kLowRatio,
                                 &kMemory,          &kRecompute,
                                 &kStorage,         &kRecipe,
                                 &kLowGroups,       &kPolicySeed,
                                 &kPlanOptimizer,   &kPlanOptimizerState,
                                 &kPlanLoss,        &kPlanLabelSmoothing,
                                 &kPlanIgnoreIndex, &kPlanAccumulate,
                                 &kPlanClipNorm,    &kPlanEma};
  return flags;
}

const FlagList& LocalFlags() {
  static const FlagList flags = {&kLocal};
  return flags;
}

const FlagList& DescribeModelFlags() {
  static const FlagList flags = {&kDescribeWidth, &kDescribeClasses, &kDescribeInput,
                                 &kDescribeFreeze, &kDescribeLoss};
  return flags;
}

const FlagList& PushFlags() {
  static const FlagList flags = {&kTestFraction,   &kSplitSeed,  &kMean,       &kStddev,
                                 &kFormat,         &kInputs,     &kTarget,     &kSequenceLength,
                                 &kSequenceStride, &kVocabulary, &kTokenBytes, &kImageSize,
                                 &kLabelIgnored};
  return flags;
}

const FlagList& SubmitFlags() {
  static const FlagList flags = {&kModel,
                                 &kWidth,
                                 &kClasses,
                                 &kInput,
                                 &kFreeze,
                                 &kDataset,
                                 &kPolicy,
                                 &kLowRatio,
                                 &kMemory,
                                 &kRecompute,
                                 &kStorage,
                                 &kRecipe,
                                 &kLowGroups,
                                 &kPolicySeed,
                                 &kPromotionThreshold,
                                 &kRounding,
                                 &kEpochs,
                                 &kSteps,
                                 &kBatchSize,
                                 &kOptimizer,
                                 &kOptimizerState,
                                 &kLr,
                                 &kMomentum,
                                 &kWeightDecay,
                                 &kSchedule,
                                 &kScheduleEpochs,
                                 &kStepEpochs,
                                 &kStepGamma,
                                 &kWarmupEpochs,
                                 &kLoss,
                                 &kLabelSmoothing,
                                 &kIgnoreIndex,
                                 &kAccumulate,
                                 &kClipNorm,
                                 &kEma,
                                 &kLossScale,
                                 &kDynamicLossScale,
                                 &kSeed,
                                 &kShuffle,
                                 &kAugment,
                                 &kCropPadding,
                                 &kCropMinArea,
                                 &kMixup,
                                 &kEvaluateEvery,
                                 &kThreads,
                                 &kLoaderThreads,
                                 &kName,
                                 &kLabels,
                                 &kMaxRetries};
  return flags;
}

const FlagList& SubmitOnlyFlags() {
  static const FlagList flags = {&kFile, &kInit, &kRequestId, &kWait, &kDryRun};
  return flags;
}

const FlagList& ListFlags() {
  static const FlagList flags = {&kState, &kLabel, &kNamePrefix, &kLimit};
  return flags;
}

const FlagList& WatchFlags() {
  static const FlagList flags = {&kAfter};
  return flags;
}

const FlagList& LogsFlags() {
  static const FlagList flags = {&kFollow, &kOffset, &kRaw};
  return flags;
}

const FlagList& FetchFlags() {
  static const FlagList flags = {&kTo};
  return flags;
}

}  // namespace mantissa::cli
