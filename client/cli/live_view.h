// client/cli/live_view.h
//
// The live view of a job on a terminal: lines made from what is known, and the bytes that redraw
// them in place.
//
//   std::vector<std::string> lines = RenderLive(view, {.columns = 100, .rows = 30}, now);
//   Screen screen;
//   io.Out(screen.Redraw(lines, 100));
//
// Pure functions of their arguments, so that tests look at them without a terminal.

#ifndef MANTISSA_CLIENT_CLI_LIVE_VIEW_H_
#define MANTISSA_CLIENT_CLI_LIVE_VIEW_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/io.h"
#include "client/cli/job_view.h"

namespace mantissa::cli {

// Lines of at most size.columns - 1 columns, fewer of them than size.rows: in a small window the
// charts go first, then what happened lately. All printable.
std::vector<std::string> RenderLive(const JobView& view, const TerminalSize& size, absl::Time now);

// "[████░░░░]" of `width` columns in all.
std::string ProgressBar(double share, int width);

// What stands on the terminal, to be replaced by the next lines.
class Screen {
 public:
  // Bytes that put `lines` where the last ones were, in a window of `columns`, which may have
  // changed since: a terminal wraps the lines that no longer fit. The first line is bold if
  // `colour`.
  std::string Redraw(const std::vector<std::string>& lines, int columns, bool colour);

 private:
  // Columns of each line that stands there.
  std::vector<int> widths_;
};

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_LIVE_VIEW_H_
