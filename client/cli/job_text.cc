#include "client/cli/job_text.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cli/flag.h"
#include "client/cli/memory_text.h"
#include "client/cli/table.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string Stripped(const std::string& name, absl::string_view prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}

std::string Labels(const v1::JobSpec& spec) {
  const std::map<std::string, std::string> sorted(spec.labels().begin(), spec.labels().end());
  return absl::StrJoin(sorted, ", ", absl::PairFormatter("="));
}

std::string ModelText(const v1::ModelSpec& model) {
  std::string text = model.model();
  if (model.width() != 0) absl::StrAppend(&text, ", width ", Number(model.width()));
  if (model.classes() != 0) absl::StrAppend(&text, ", ", model.classes(), " classes");
  if (model.input_shape_size() > 0) {
    absl::StrAppend(&text, ", input ", absl::StrJoin(model.input_shape(), "x"));
  }
  return text;
}

std::string TrainingText(const v1::TrainingSpec& training) {
  std::string text = absl::StrCat(training.epochs(), " epochs");
  if (training.steps() != 0) absl::StrAppend(&text, ", at most ", training.steps(), " steps");
  absl::StrAppend(&text, ", batch ", training.batch_size());
  if (training.has_learning_rate()) {
    absl::StrAppend(&text, ", lr ", Number(training.learning_rate()));
  }
  return absl::StrCat(text, ", seed ", training.seed());
}

void AddProgress(const v1::JobProgress& progress, Facts& facts) {
  facts.emplace_back("step", absl::StrCat(progress.step(), " of ", progress.total_steps(),
                                          ", epoch ", progress.epoch()));
  facts.emplace_back("loss", Number(progress.loss_unrounded()));
  facts.emplace_back("loss scale", absl::StrCat(Number(progress.loss_scale()), ", ",
                                                progress.skipped_steps(), " steps skipped"));
  facts.emplace_back("speed", absl::StrCat(Number(progress.samples_per_second()), " samples/s"));
  if (progress.has_evaluation()) {
    const v1::Evaluation& evaluation = progress.evaluation();
    if (evaluation.has_accuracy()) {
      facts.emplace_back("accuracy", absl::StrCat(Percent(evaluation.accuracy()), " as assigned, ",
                                                  Percent(evaluation.accuracy_fp32()), " in fp32"));
    } else {
      facts.emplace_back("test loss", absl::StrCat(Number(evaluation.loss()), " as assigned, ",
                                                   Number(evaluation.loss_fp32()), " in fp32"));
    }
  }
  facts.emplace_back("low ratio", absl::StrCat(Percent(progress.ratio_low_bits()), ", ",
                                               progress.promoted_tensors(), " tensors promoted"));
}

// Bits now (promotions counted) beside those of fp32.
void AddBits(const v1::Job& job, Facts& facts) {
  if (!job.has_plan() || job.plan().bits_fp32() <= 0) return;
  const int64_t bits = job.progress().bits() > 0 ? job.progress().bits() : job.plan().bits();
  facts.emplace_back(
      "tensors",
      absl::StrCat(
          BitsAsBytes(bits), " instead of ", BitsAsBytes(job.plan().bits_fp32()), " in fp32 (",
          Percent(static_cast<double>(bits) / static_cast<double>(job.plan().bits_fp32())), ")"));
}

// What the memory of a step went into, and what it would have been otherwise.
std::string MemoryTables(const v1::Job& job) {
  if (job.memory().measured().peak_bytes() <= 0) return "";
  const v1::JobMemory& memory = job.memory();
  const std::string baselines = BaselineTable(memory.measured().peak_bytes(), memory.baselines());
  return absl::StrCat("\n", KindTable(memory.measured().peak().bytes()),
                      baselines.empty() ? "" : "\n", baselines);
}

std::string ArtifactTable(const v1::Job& job) {
  if (job.artifacts().empty()) return "";
  Table table({{"ARTIFACT"}, {"SIZE", Table::kRight}, {"SHA-256"}});
  for (const v1::Artifact& artifact : job.artifacts()) {
    table.AddRow({artifact.name(), Bytes(artifact.size_bytes()), artifact.sha256()});
  }
  return absl::StrCat("\n", table.Render(), "\nFetch one: mantissa fetch ", Printable(job.id()),
                      " ", Printable(job.artifacts(0).name()), "\n");
}

}  // namespace

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return absl::InfinitePast();
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string StateName(v1::JobState state) {
  return Stripped(v1::JobState_Name(state), "JOB_STATE_");
}

std::string KindName(v1::TensorKind kind) {
  switch (kind) {
    case v1::TENSOR_KIND_ACTIVATION:
      return "activation";
    case v1::TENSOR_KIND_PARAMETER:
      return "parameter";
    case v1::TENSOR_KIND_ACTIVATION_GRADIENT:
      return "activation gradient";
    case v1::TENSOR_KIND_PARAMETER_GRADIENT:
      return "parameter gradient";
    default:
      return "tensor";
  }
}

std::string PolicyText(const v1::PrecisionSpec& precision) {
  std::string text = precision.policy() == v1::POLICY_NAME_UNSPECIFIED
                         ? "demotion"
                         : EnumText(v1::PolicyName_descriptor(), precision.policy());
  if (precision.has_low_ratio()) absl::StrAppend(&text, " ", Number(precision.low_ratio()));
  if (precision.memory_bytes() > 0) {
    absl::StrAppend(&text, " within ", Bytes(precision.memory_bytes()));
  }
  return text;
}

std::string FailureText(const v1::Failure& failure) {
  return absl::StrCat(Stripped(v1::FailureCause_Name(failure.cause()), "FAILURE_CAUSE_"), ": ",
                      failure.message());
}

absl::Duration RunTime(const v1::Job& job, absl::Time now) {
  const absl::Time start = TimeOf(job.start_time());
  if (start == absl::InfinitePast()) return absl::ZeroDuration();
  const absl::Time end = TimeOf(job.end_time());
  return std::max((end == absl::InfinitePast() ? now : end) - start, absl::ZeroDuration());
}

std::string JobText(const v1::Job& job, absl::Time now) {
  const v1::JobSpec& spec = job.spec();
  Facts facts = {
      {"job", job.id()},
      {"name", spec.name()},
      {"labels", Labels(spec)},
      {"state", StateName(job.state())},
      {"waits for", job.pending_reason()},
      {"failure", job.has_failure() ? FailureText(job.failure()) : ""},
      {"model", ModelText(spec.model())},
      {"data set", spec.dataset()},
      {"precision", PolicyText(spec.precision())},
      {"training", TrainingText(spec.training())},
      {"submitted", job.has_create_time() ? Moment(TimeOf(job.create_time())) : ""},
      {"started", job.has_start_time() ? Moment(TimeOf(job.start_time())) : ""},
      {"ended", job.has_end_time() ? Moment(TimeOf(job.end_time())) : ""},
      {"run time", job.has_start_time() ? Span(RunTime(job, now)) : ""},
      {"attempt", job.attempt() > 1 ? absl::StrCat(job.attempt()) : ""},
  };
  if (job.has_progress()) AddProgress(job.progress(), facts);
  AddBits(job, facts);
  for (auto& fact :
       job.has_memory() ? MeasuredMemoryFacts(job.memory()) : PlannedMemoryFacts(job.plan())) {
    facts.push_back(std::move(fact));
  }
  return absl::StrCat(RenderFacts(facts), MemoryTables(job), ArtifactTable(job));
}

std::string ResultText(const v1::Job& job, absl::Time now) {
  std::string text = absl::StrCat(job.id(), " ", StateName(job.state()));
  if (job.has_start_time()) absl::StrAppend(&text, " after ", Span(RunTime(job, now)));
  if (job.has_failure()) return absl::StrCat(text, ": ", FailureText(job.failure()));
  const v1::JobProgress& progress = job.progress();
  if (progress.has_evaluation()) {
    const v1::Evaluation& evaluation = progress.evaluation();
    const bool accuracy = evaluation.has_accuracy();
    absl::StrAppend(
        &text, accuracy ? ": accuracy " : ": test loss ",
        accuracy ? Percent(evaluation.accuracy()) : Number(evaluation.loss()), ", in fp32 ",
        accuracy ? Percent(evaluation.accuracy_fp32()) : Number(evaluation.loss_fp32()), ", low ",
        Percent(progress.ratio_low_bits()), ", ", progress.promoted_tensors(), " tensors promoted");
  }
  return text;
}

}  // namespace mantissa::cli
