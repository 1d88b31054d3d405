#include "client/cli/live_view.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cc/follow.h"
#include "client/cli/job_text.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

using Lines = std::vector<std::string>;

constexpr int kChartRows = 6;
constexpr int kMostRemarkLines = 5;

std::string Title(const JobView& view, absl::Time now) {
  const v1::Job& job = view.job();
  std::string title = absl::StrCat(Printable(job.id()), "  ", StateName(view.state()));
  if (view.Elapsed(now) > absl::ZeroDuration()) {
    absl::StrAppend(&title, "  ", Span(view.Elapsed(now)));
  }
  if (!job.spec().name().empty()) absl::StrAppend(&title, "  ", Printable(job.spec().name()));
  return title;
}

std::string What(const JobView& view) {
  const v1::JobSpec& spec = view.job().spec();
  return absl::StrCat(Printable(spec.model().model()), " on ", Printable(spec.dataset()), ", ",
                      PolicyText(spec.precision()), ", batch ", spec.training().batch_size());
}

std::string ProgressLine(const JobView& view, int columns, absl::Time now) {
  const v1::StepDone& step = view.last_step();
  std::string text =
      absl::StrCat(" ", static_cast<int>(std::floor(view.Progress() * 100)), "%  step ",
                   step.step(), "/", step.total_steps(), "  epoch ", step.epoch());
  if (const auto speed = view.SamplesPerSecond(); speed.has_value()) {
    absl::StrAppend(&text, "  ", Number(std::round(*speed * 10) / 10), " samples/s");
  }
  if (const auto left = view.TimeLeft(now); left.has_value()) {
    absl::StrAppend(&text, "  ETA ", Span(*left));
  }
  const int width = std::clamp(columns - DisplayWidth(text), 12, 42);
  return absl::StrCat(ProgressBar(view.Progress(), width), text);
}

// The pieces with two spaces between, in as few lines as hold them.
Lines Pack(const std::vector<std::string>& pieces, int columns) {
  Lines lines(1);
  for (const std::string& piece : pieces) {
    const bool first = lines.back().empty();
    if (!first && DisplayWidth(lines.back()) + 2 + DisplayWidth(piece) > columns) {
      lines.push_back(piece);
    } else {
      absl::StrAppend(&lines.back(), first ? "" : "  ", piece);
    }
  }
  return lines;
}

Lines NumberLines(const JobView& view, int columns) {
  const v1::StepDone& step = view.last_step();
  std::vector<std::string> pieces = {absl::StrCat("loss ", Number(step.loss_unrounded())),
                                     absl::StrCat("lr ", Number(step.learning_rate())),
                                     absl::StrCat("loss scale ", Number(step.loss_scale())),
                                     absl::StrCat("skipped ", view.skipped()),
                                     absl::StrCat("low ", Percent(step.ratio_low_bits())),
                                     absl::StrCat("promoted ", view.promoted())};
  if (step.peak_memory_bytes() > 0) {
    pieces.push_back(absl::StrCat("peak ", Bytes(step.peak_memory_bytes())));
  }
  return Pack(pieces, columns);
}

std::string AccuracyLine(const JobView& view) {
  const v1::Evaluation& evaluation = *view.evaluation();
  const std::string values = evaluation.has_accuracy()
                                 ? absl::StrCat("accuracy ", Percent(evaluation.accuracy()),
                                                "  in fp32 ", Percent(evaluation.accuracy_fp32()))
                                 : absl::StrCat("test loss ", Number(evaluation.loss()),
                                                "  in fp32 ", Number(evaluation.loss_fp32()));
  return absl::StrCat(values, "  after epoch ", evaluation.epoch());
}

// Both curves side by side; in a narrow window only that of the loss.
Lines Charts(const JobView& view, int columns) {
  const bool both = columns >= 60 && !view.accuracies().values().empty();
  const int width = std::min(both ? (columns - 2) / 2 : columns, 70);
  const Lines loss = Chart(view.losses().values(), {.width = width, .height = kChartRows});
  Lines lines = {"loss"};
  if (both) absl::StrAppend(&lines[0], std::string(width - 4 + 2, ' '), "accuracy");
  lines.insert(lines.end(), loss.begin(), loss.end());
  if (!both) return lines;
  const Lines accuracy =
      Chart(view.accuracies().values(), {.width = width, .height = kChartRows, .percent = true});
  for (int i = 0; i < kChartRows; ++i) absl::StrAppend(&lines[i + 1], "  ", accuracy[i]);
  return lines;
}

Lines Remarks(const JobView& view, int room) {
  const auto& remarks = view.remarks();
  const int count = std::clamp(room, 0, std::min<int>(kMostRemarkLines, remarks.size()));
  Lines lines;
  for (size_t i = remarks.size() - count; i < remarks.size(); ++i) {
    lines.push_back(absl::StrCat("· ", Printable(remarks[i])));
  }
  return lines;
}

void Append(const Lines& more, Lines& lines) {
  lines.insert(lines.end(), more.begin(), more.end());
}

Lines Facts(const JobView& view, int columns, absl::Time now) {
  Lines lines = {Title(view, now), What(view)};
  if (!view.job().pending_reason().empty() && view.state() == v1::JOB_STATE_PENDING) {
    lines.push_back(absl::StrCat("waits: ", Printable(view.job().pending_reason())));
  }
  if (view.last_step().step() > 0) {
    lines.push_back(ProgressLine(view, columns, now));
    const Lines numbers = NumberLines(view, columns);
    lines.insert(lines.end(), numbers.begin(), numbers.end());
  }
  if (view.evaluation().has_value()) lines.push_back(AccuracyLine(view));
  return lines;
}

}  // namespace

Lines RenderLive(const JobView& view, const TerminalSize& size, absl::Time now) {
  const int columns = std::max(20, size.columns - 1);
  Lines lines = Facts(view, columns, now);
  const Lines hint = {client::IsEnded(view.state()) ? "" : "Ctrl-C leaves the job running."};
  int room = size.rows - 1 - static_cast<int>(lines.size() + hint.size());
  if (room >= kChartRows + 1 && !view.losses().values().empty()) {
    Append(Charts(view, columns), lines);
    room -= kChartRows + 1;
  }
  Append(Remarks(view, room), lines);
  if (room >= 0 && !hint[0].empty()) Append(hint, lines);
  lines.resize(std::min<size_t>(lines.size(), std::max(1, size.rows - 1)));
  for (std::string& line : lines) line = Fit(line, columns);
  return lines;
}

std::string ProgressBar(double share, int width) {
  const int inner = std::max(0, width - 2);
  const int full = static_cast<int>(std::floor(std::clamp(share, 0.0, 1.0) * inner));
  std::string bar = "[";
  for (int i = 0; i < inner; ++i) absl::StrAppend(&bar, i < full ? "█" : "░");
  return absl::StrCat(bar, "]");
}

std::string Screen::Redraw(const Lines& lines, int columns, bool colour) {
  int rows = 0;
  for (int width : widths_) rows += std::max(1, (width + columns - 1) / std::max(1, columns));
  widths_.clear();
  std::string bytes = rows > 0 ? absl::StrCat("\x1b[", rows, "A\r") : "\r";
  absl::StrAppend(&bytes, "\x1b[J");
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool bold = colour && i == 0;
    absl::StrAppend(&bytes, bold ? "\x1b[1m" : "", lines[i], bold ? "\x1b[0m" : "", "\r\n");
    widths_.push_back(DisplayWidth(lines[i]));
  }
  return bytes;
}

}  // namespace mantissa::cli
