#include "client/cli/commands.h"

#include <vector>

#include "client/cli/cmd_dataset.h"
#include "client/cli/cmd_job.h"
#include "client/cli/cmd_memory.h"
#include "client/cli/cmd_model.h"
#include "client/cli/cmd_plan.h"
#include "client/cli/cmd_server.h"
#include "client/cli/cmd_submit.h"
#include "client/cli/cmd_text.h"
#include "mantissa/v1/dataset.pb.h"
#include "mantissa/v1/job.pb.h"
#include "mantissa/v1/model.pb.h"
#include "mantissa/v1/planner.pb.h"

namespace mantissa::cli {
namespace {

constexpr Positional kJob = {.name = "JOB", .help = "Id of the job, for instance job-3f9a1c7e."};
constexpr Positional kModelName = {.name = "NAME", .help = "Name of the model."};
constexpr Positional kDatasetName = {.name = "NAME", .help = "Name of the data set."};

std::vector<Command> AboutServer() {
  return {{
      .name = "server info",
      .summary = "Show version, limits and load of the server",
      .json = "a mantissa.v1.ServerInfo.",
      .examples = {{"mantissa server info", "see what the server allows"},
                   {"mantissa server info --server gpu-box:7070 --tls-ca ca.pem",
                    "ask a server on another machine"}},
      .run = &RunServerInfo,
  }};
}

std::vector<Command> AboutModels() {
  return {
      {
          .name = "model push",
          .summary = "Upload a model of your own",
          .description =
              "FILE is an archive of torch.export: torch.export.save(torch.export.export(module, "
              "inputs, dynamic_shapes=...), FILE) in Python, with a dynamic first dimension, or "
              "mantissa.export of the Python package. The server reads it in a locked-in process, "
              "tries it, and refuses what it cannot train. What the server has already is not sent "
              "again.",
          .positionals = {{.name = "NAME",
                           .help = "Name to give it: a-z, 0-9, -, _ and ., at most 64."},
                          {.name = "FILE", .help = "File of the model.", .choices = "FILE"}},
          .json = "a mantissa.v1.Model.",
          .examples = {{"mantissa model push tiny-vit vit.pt2",
                        "upload a model; submit --model vit.pt2 does it too"}},
          .run = &RunModelPush,
      },
      {
          .name = "model list",
          .summary = "List the models that can be trained",
          .description = "The built-in ones and, where a server is configured, those that were "
                         "uploaded to it.",
          .flags = LocalFlags(),
          .json = "a mantissa.v1.ListModelsResponse.",
          .examples = {{"mantissa model list", "see all models"}},
          .run = &RunModelList,
      },
      {
          .name = "model describe",
          .summary = "Describe a model: operators, groups, parameters",
          .description = "Answers from this program where no server is configured. Of an uploaded "
                         "model it shows every tensor too, and the operators that the planner does "
                         "not know: they are trained all the same, with more kept for the backward "
                         "pass.",
          .positionals = {{.name = "MODEL",
                           .help = "Model: builtin:resnet18, an uploaded model's name, or a file.",
                           .choices = "builtin:mobilenet_v2|builtin:resnet18|"
                                      "builtin:shufflenet_v2|builtin:squeezenet"}},
          .flags = Join({DescribeModelFlags(), LocalFlags()}),
          .message = v1::GetModelRequest::descriptor(),
          .json = "a mantissa.v1.GetModelResponse.",
          .examples = {{"mantissa model describe builtin:resnet18 --width 0.25 --classes 10",
                        "see the operators of a narrow ResNet-18"}},
          .run = &RunModelDescribe,
      },
      {
          .name = "model rm",
          .summary = "Delete an uploaded model",
          .description = "Refused while a job that has not ended uses it.",
          .positionals = {kModelName},
          .json = "an empty object.",
          .examples = {{"mantissa model rm tiny-vit", "delete a model"}},
          .run = &RunModelRemove,
      },
  };
}

std::vector<Command> AboutDatasets() {
  return {
      {
          .name = "dataset push",
          .summary = "Upload a data set",
          .description =
              "PATH is a NumPy .npz (arrays images and labels, or x_train, y_train, x_test, "
              "y_test), a folder of CIFAR-10 or CIFAR-100 binaries, a folder of IDX files as "
              "MNIST's, a folder of JPEG or PNG images by class, or such a folder in a .tar. What "
              "the server has already is not sent again, and an upload that broke off goes on "
              "where it was.",
          .positionals = {{.name = "NAME",
                           .help = "Name to give it: a-z, 0-9, -, _ and ., at most 64."},
                          {.name = "PATH", .help = "File or folder.", .choices = "FILE"}},
          .flags = PushFlags(),
          .message = v1::CreateDatasetRequest::descriptor(),
          .json = "a mantissa.v1.Dataset.",
          .examples = {{"mantissa dataset push digits digits.npz", "upload a NumPy file"},
                       {"mantissa dataset push flowers ~/flowers --test-fraction 0.1",
                        "upload images by class, a tenth of them for testing"}},
          .run = &RunDatasetPush,
      },
      {
          .name = "dataset list",
          .summary = "List the data sets",
          .json = "a mantissa.v1.ListDatasetsResponse.",
          .examples = {{"mantissa dataset list", "see all data sets"}},
          .run = &RunDatasetList,
      },
      {
          .name = "dataset describe",
          .summary = "Describe a data set: samples, classes, statistics, files",
          .positionals = {kDatasetName},
          .json = "a mantissa.v1.Dataset.",
          .examples = {{"mantissa dataset describe digits", "see what is in a data set"}},
          .run = &RunDatasetDescribe,
      },
      {
          .name = "dataset rm",
          .summary = "Delete a data set",
          .description = "Refused while a job that has not ended uses it.",
          .positionals = {kDatasetName},
          .json = "an empty object.",
          .examples = {{"mantissa dataset rm digits", "delete a data set"}},
          .run = &RunDatasetRemove,
      },
  };
}

std::vector<Command> AboutPlans() {
  return {
      {
          .name = "plan",
          .summary = "Plan the precision of a training and see what it costs",
          .description =
              "Runs in this program where no server is configured. Shows which groups of tensors "
              "become low, and the memory that a training step is predicted to need: its peak by "
              "kind, what is saved for the backward pass, and the same training in fp32, in 16 "
              "bits and under the operator-based assignment.\n\nWith --memory the ratio is chosen: "
              "the smallest whose peak fits. Where none fits it says by how much and what would.",
          .flags = Join({PlanFlags(), LocalFlags()}),
          .message = v1::PlanRequest::descriptor(),
          .json = "one object with total_elements, groups (a list of {id, elements, low}), "
                  "ratio_low_groups, ratio_low_bits, bits, bits_high, bits_fp32, memory "
                  "({peak_bytes, saved_for_backward_bytes, peak}), baselines (a list of {name, "
                  "peak_bytes}), recomputed (operators), and the model, width, classes, "
                  "input_shape, batch_size, policy, low_ratio, memory_bytes, recipe, storage, "
                  "recompute, optimizer, optimizer_state, loss, freeze and accumulate_batches "
                  "planned for.",
          .examples = {{"mantissa plan --model builtin:mobilenet_v2 --width 0.5 --classes 100 "
                        "--input 3x32x32 --batch-size 128 --policy demotion --low-ratio 0.5 "
                        "-o json",
                        "half of the elements in low precision, as JSON"},
                       {"mantissa plan --model resnet18 --classes 10 --policy operator",
                        "low precision at the convolutions and linear layers"},
                       {"mantissa plan --model mobilenet_v2 --classes 10 --memory 600MiB --policy "
                        "budget",
                        "the fewest low elements that fit into 600 MiB"},
                       {"mantissa plan --model vit.pt2 --freeze 'embed.*' --low-ratio 0.5",
                        "a model of your own, its embedding frozen"}},
          .run = &RunPlan,
      },
      {
          .name = "explain",
          .summary = "Plan, and say of every tensor why it has its format",
          .description = "Runs in this program where no server is configured. Kinds: v is the "
                         "output of an operator, theta a parameter, dv and dtheta their "
                         "gradients.",
          .flags = Join({PlanFlags(), LocalFlags()}),
          .message = v1::PlanRequest::descriptor(),
          .json = "a mantissa.v1.ExplainResponse.",
          .examples = {{"mantissa explain --model resnet18 --classes 10 --low-ratio 0.3",
                        "see which tensors become low, and why"}},
          .run = &RunExplain,
      },
  };
}

std::vector<Command> Submitting() {
  return {{
      .name = "submit",
      .summary = "Submit a training job",
      .description =
          "Prints the job's id, or with --wait follows it and returns its result. A job can be "
          "given as a file too: --dry-run prints the job that the flags mean, -f reads it back.",
      .flags = Join({SubmitFlags(), SubmitOnlyFlags()}),
      .message = v1::JobSpec::descriptor(),
      .json = "a mantissa.v1.Job; with --wait the job as it ended, with --dry-run a "
              "mantissa.v1.JobSpec.",
      .examples = {{"mantissa submit --model resnet18 --width 0.25 --dataset digits --epochs 10 "
                    "--low-ratio 0.5 --wait",
                    "train, and follow it"},
                   {"mantissa submit --model mobilenet_v2 --dataset digits --memory 1GiB "
                    "--optimizer-state int8 --wait",
                    "train in the highest precision that fits into a gibibyte"},
                   {"mantissa submit --model vit.pt2 --dataset digits --freeze 'embed.*' --lr "
                    "0.001 --clip-norm 1 --wait",
                    "fine-tune a model of your own, from the weights in its file"},
                   {"mantissa submit -f job.json --seed 2 --name second",
                    "a job from a file, with another seed"},
                   {"mantissa submit --model squeezenet --dataset digits --policy none --dry-run",
                    "see the job as JSON"}},
      .run = &RunSubmit,
  }};
}

std::vector<Command> AboutJobs() {
  return {
      {
          .name = "list",
          .summary = "List jobs, the newest first",
          .flags = ListFlags(),
          .message = v1::ListJobsRequest::descriptor(),
          .json = "a mantissa.v1.ListJobsResponse.",
          .examples = {{"mantissa list --state running,pending", "what runs and waits"},
                       {"mantissa list --label team=vision --limit 0", "all jobs of a team"}},
          .run = &RunList,
      },
      {
          .name = "get",
          .summary = "Show a job: state, progress, accuracy, precision, artifacts",
          .positionals = {kJob},
          .json = "a mantissa.v1.Job.",
          .examples = {{"mantissa get job-3f9a1c7e", "see how a job stands"},
                       {"mantissa get job-3f9a1c7e -o json", "the same for a program"}},
          .run = &RunGet,
      },
      {
          .name = "memory",
          .summary = "Draw the memory of a job's training steps, and what it saves",
          .description =
              "The step that needed most, operator by operator, stacked by what the bytes are for: "
              "master weights, rounded weights, activations that wait for the backward pass, "
              "gradients, the optimizer's moments, and workspace inside an operator. Then the peak "
              "by kind, measured and predicted, and what the same training needs otherwise: in "
              "fp32, with every tensor in 16 bits, and with the paper's operator-based assignment. "
              "Counts the bytes of tensors; a process takes more. Measured after the job's second "
              "step; the comparison comes with its end.",
          .positionals = {kJob},
          .json = "a mantissa.v1.JobMemory.",
          .examples = {{"mantissa memory job-3f9a1c7e", "see where a step's memory goes"},
                       {"mantissa memory job-3f9a1c7e -o json", "the same for a program"}},
          .run = &RunMemory,
      },
      {
          .name = "watch",
          .summary = "Follow a job to its end and return its result",
          .description =
              "On a terminal a live view, else a line for each thing that happens. A lost "
              "connection or a restart of the server is waited for; no event is lost or shown "
              "twice. Ctrl-C leaves the job running.",
          .positionals = {kJob},
          .flags = WatchFlags(),
          .json = "a line with a mantissa.v1.JobEvent for each event.",
          .examples = {{"mantissa watch job-3f9a1c7e", "follow a job"},
                       {"mantissa watch job-3f9a1c7e --after 120 -o json",
                        "the events after number 120, for a program"}},
          .run = &RunWatch,
      },
      {
          .name = "logs",
          .summary = "Print what the job's worker wrote",
          .positionals = {kJob},
          .flags = LogsFlags(),
          .json = "the same text: a log is no JSON.",
          .examples = {{"mantissa logs job-3f9a1c7e", "what was written so far"},
                       {"mantissa logs -f job-3f9a1c7e", "go on until the job ends"}},
          .run = &RunLogs,
      },
      {
          .name = "cancel",
          .summary = "Cancel a job",
          .description = "Returns at once; the job may take a moment to end.",
          .positionals = {kJob},
          .json = "a mantissa.v1.Job.",
          .examples = {{"mantissa cancel job-3f9a1c7e", "end a job"}},
          .run = &RunCancel,
      },
      {
          .name = "fetch",
          .summary = "Fetch a file that a job left",
          .description = "The file appears once all of it is there and its hash is right. A fetch "
                         "that broke off is taken up again by the next one.",
          .positionals = {kJob,
                          {.name = "ARTIFACT",
                           .help = "history.jsonl, plan.json, weights.safetensors, report.json, or "
                                   "weights_ema.safetensors of a job with --ema.",
                           .choices = "history.jsonl|plan.json|weights.safetensors|"
                                      "weights_ema.safetensors|report.json"}},
          .flags = FetchFlags(),
          .json = "nothing on standard output.",
          .examples = {{"mantissa fetch job-3f9a1c7e history.jsonl", "the course of the training"},
                       {"mantissa fetch job-3f9a1c7e report.json --to -",
                        "the report on standard output"}},
          .run = &RunFetch,
      },
  };
}

std::vector<Command> AboutItself() {
  return {
      {
          .name = "completion",
          .summary = "Print a script that completes commands and flags in a shell",
          .positionals = {{.name = "SHELL",
                           .help = "bash, zsh or fish.",
                           .choices = "bash|zsh|fish"}},
          .json = "the same text.",
          .examples = {{"source <(mantissa completion bash)", "complete in this bash"},
                       {"mantissa completion fish > ~/.config/fish/completions/mantissa.fish",
                        "complete in each fish"}},
          .run = &RunCompletion,
      },
      {
          .name = "man",
          .summary = "Print the manual page",
          .json = "the same text.",
          .examples = {{"mantissa man | man -l -", "read the manual"}},
          .run = &RunMan,
      },
  };
}

}  // namespace

absl::Span<const Command> Commands() {
  static const std::vector<Command> commands = [] {
    std::vector<Command> all;
    for (const auto& part : {AboutServer(), AboutModels(), AboutDatasets(), AboutPlans(),
                             Submitting(), AboutJobs(), AboutItself()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return commands;
}

}  // namespace mantissa::cli
