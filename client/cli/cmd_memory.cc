#include "client/cli/cmd_memory.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "client/cli/memory_picture.h"
#include "client/cli/memory_text.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {
namespace {

// What is read from a picture is lost in a wider one.
constexpr int kWidest = 160;
constexpr int kNarrowest = 40;
// Lines below the chart: axis, legend, tables.
constexpr int kLinesBeside = 26;

PictureOptions PictureOptionsOf(Io& io) {
  PictureOptions options;
  if (!io.OutIsTerminal()) return options;
  const TerminalSize size = io.Size();
  options.width = std::clamp(size.columns, kNarrowest, kWidest);
  options.height = std::clamp(size.rows - kLinesBeside, 8, 24);
  options.colour = io.Environment("NO_COLOR").value_or("").empty();
  return options;
}

// What the peak was for beside what the predicted peak is for.
std::string MeasuredTable(const v1::JobMemory& memory) {
  const v1::MemoryBytes& measured = memory.measured().peak().bytes();
  const v1::MemoryBytes& predicted = memory.predicted().peak().bytes();
  Table table({{"AT THE PEAK"},
               {"MEASURED", Table::kRight},
               {"SHARE", Table::kRight},
               {"PREDICTED", Table::kRight}});
  for (const auto& [name, bytes] : kMemoryRows) {
    const int64_t of_measured = (measured.*bytes)(), of_predicted = (predicted.*bytes)();
    if (of_measured == 0 && of_predicted == 0) continue;
    table.AddRow({name, Bytes(of_measured),
                  Percent(static_cast<double>(of_measured) / static_cast<double>(measured.total())),
                  Bytes(of_predicted)});
  }
  return table.Render();
}

std::string MemoryReport(const v1::JobMemory& memory, const PictureOptions& options) {
  std::string text;
  for (const std::string& line : MemoryPicture(memory, options)) absl::StrAppend(&text, line, "\n");
  MemoryFacts facts = MeasuredMemoryFacts(memory);
  facts.emplace_back("measured in", absl::StrCat("step ", memory.step(), " on ", memory.device()));
  absl::StrAppend(&text, "\n", RenderFacts(facts), "\n", MeasuredTable(memory));
  const std::string baselines = BaselineTable(memory.measured().peak_bytes(), memory.baselines());
  if (!baselines.empty()) absl::StrAppend(&text, "\n", baselines);
  return text;
}

}  // namespace

absl::StatusOr<ExitCode> RunMemory(Invocation& run) {
  v1::GetJobMemoryRequest request;
  request.set_id(run.Positional(0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::JobMemory memory, client->GetJobMemory(request));
  run.Print(memory, [&] { return MemoryReport(memory, PictureOptionsOf(run.io())); });
  return kSucceeded;
}

}  // namespace mantissa::cli
