#include "tests/models/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace mantissa::model_replay {
namespace {

constexpr char kIntroduction[] =
    R"(# Models that were brought

Exported models, replayed by the engine with the data, order, loss and optimizer that PyTorch had, and
compared with what PyTorch itself computed. Made by
`bazel run //tests/models:compare -- --write docs/models.md DIR...`; the archives by
`tests/models/export.py`, which exports small models of torchvision, timm and transformers with random
weights, and plain PyTorch ones, and records PyTorch's own gradients and losses.

- **Gradients**: parameters whose gradient of the first step is PyTorch's in double precision, by L2,
  largest element and, where they are recorded, the first eight. Allowed is ten times what
  PyTorch's own float32 gradients are off, at least 1e-5 of the gradient, and 1e-6 of all gradients
  together.
- **Losses**: steps of 20 at learning rate 0.01, and at 0.0001 (calm), whose loss is that of double
  precision within ten times PyTorch's own noise at the step, at least 1e-5. Steps at which PyTorch
  differs from itself by more than 1e-3 are not judged: `judged of all`.
- **State**: final parameters, buffers and how far each moved, by L2.
- **Worst**: the largest difference of all as a share of what is allowed; above 1 is outside.
- **r = 0.5**, **r = 1**: the loss of the first and of the last of 20 steps under demotion, how many
  tensors were promoted (`+1`), and how many steps were skipped, for the loss scale begins at 1024
  whatever the gradients (`1s`).
- **MiB**: peak of tensor bytes of a step as predicted / as measured, at batch sizes of 32 or 8.

Models that begin with `random_` have live dropout or stochastic depth: there is nothing to compare
with but themselves. One seed gives one training, bit for bit.
)";

std::string Judged(const Score& score) {
  return absl::StrCat(score.judged, "/", score.judged + score.left_out);
}

double Worst(const Report& report) {
  return std::max({report.gradients.worst, report.losses.worst, report.calm_losses.worst,
                   report.weights.worst});
}

std::string Losses(const Report::Precision& precision) {
  if (precision.measured_bytes == 0) return "-";
  const std::string skipped =
      precision.skipped > 0 ? absl::StrFormat(" %ds", precision.skipped) : "";
  return absl::StrFormat("%.4g>%.4g +%d%s", precision.first_loss, precision.last_loss,
                         precision.promoted, skipped);
}

std::string Memory(const Report::Precision& precision) {
  constexpr double kMiB = 1 << 20;
  if (precision.measured_bytes == 0) return "-";
  return absl::StrFormat("%.2f/%.2f", static_cast<double>(precision.predicted_bytes) / kMiB,
                         static_cast<double>(precision.measured_bytes) / kMiB);
}

// One line, without what Markdown would take for a table.
std::string Plain(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\n", " "}, {"|", "/"}});
}

}  // namespace

std::string Head() {
  return absl::StrFormat("%-28s %-6s %7s %7s %7s %9s %6s %5s  %-24s %-24s %-12s %-12s %-12s %6s",
                         "model", "", "grads", "losses", "calm", "state", "worst", "groups",
                         "r=0.5", "r=1", "MiB fp32", "MiB r=0.5", "MiB r=1", "s");
}

std::string Line(const Report& report) {
  return absl::StrFormat(
      "%-28s %-6s %7s %7s %7s %9s %6.2g %5d  %-24s %-24s %-12s %-12s %-12s %6.1f", report.name,
      report.failures.empty() ? "ok" : "FAILED", Judged(report.gradients), Judged(report.losses),
      Judged(report.calm_losses), Judged(report.weights), Worst(report), report.groups,
      Losses(report.half), Losses(report.low), Memory(report.fp32), Memory(report.half),
      Memory(report.low), report.seconds);
}

std::string Document(const std::vector<Report>& reports) {
  std::string text = kIntroduction;
  const int64_t failed = std::count_if(reports.begin(), reports.end(), [](const Report& report) {
    return !report.failures.empty();
  });
  absl::StrAppendFormat(&text, "\n%d models, %d within, %d failed.\n\n", reports.size(),
                        static_cast<int64_t>(reports.size()) - failed, failed);
  text +=
      "| Model | Gradients | Losses | Calm | State | Worst | Groups | r = 0.5 | r = 1 | MiB fp32 | "
      "MiB r = 0.5 | MiB r = 1 |\n";
  text += "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const Report& report : reports) {
    if (!report.failures.empty()) continue;
    const bool figures = report.has_figures;
    absl::StrAppendFormat(
        &text, "| %s | %s | %s | %s | %s | %s | %d | %s | %s | %s | %s | %s |\n", report.name,
        figures ? Judged(report.gradients) : "", figures ? Judged(report.losses) : "",
        figures ? Judged(report.calm_losses) : "", figures ? Judged(report.weights) : "",
        figures ? absl::StrFormat("%.2g", Worst(report)) : "itself", report.groups,
        Losses(report.half), Losses(report.low), Memory(report.fp32), Memory(report.half),
        Memory(report.low));
  }
  text += "\n## Notes\n\n";
  for (const Report& report : reports) {
    for (const std::string& note : report.notes)
      absl::StrAppend(&text, "- ", report.name, ": ", Plain(note), "\n");
  }
  text += "\n## Failed\n\n";
  if (failed == 0) text += "None.\n";
  for (const Report& report : reports) {
    if (report.failures.empty()) continue;
    absl::StrAppend(&text, "- **", report.name, "**: ", Plain(report.failures[0]));
    if (report.failures.size() > 1)
      absl::StrAppend(&text, " (and ", report.failures.size() - 1, " more)");
    text += "\n";
  }
  return text;
}

}  // namespace mantissa::model_replay
