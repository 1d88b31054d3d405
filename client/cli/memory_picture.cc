#include "client/cli/memory_picture.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/memory_text.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

using Lines = std::vector<std::string>;

// From the bottom of a column to its top: what lives longest first.
struct Kind {
  const char* name;
  char letter;
  const char* colour;  // of ANSI's 16
  int64_t (v1::MemoryBytes::*bytes)() const;
};
constexpr Kind kKinds[] = {
    {"masters", 'M', "34", &v1::MemoryBytes::masters},
    {"optimizer", 'O', "35", &v1::MemoryBytes::optimizer},
    {"weights", 'W', "36", &v1::MemoryBytes::weights},
    {"gradients", 'G', "33", &v1::MemoryBytes::gradients},
    {"activations", 'A', "32", &v1::MemoryBytes::activations},
    {"workspace", '.', "90", &v1::MemoryBytes::workspace},
};

constexpr int kLabelWidth = 10;
constexpr int kMargin = kLabelWidth + 2;  // with the axis
// A budget further above the chart's top is only a figure.
constexpr double kBudgetWithin = 1.5;

// A range of points in a column of the chart.
struct Column {
  int first = 0, last = 0;  // the last one is in it
  int most = 0;             // the point that needed most
  int64_t predicted = 0;
};

class Picture {
 public:
  Picture(const v1::JobMemory& memory, const PictureOptions& options)
      : memory_(memory), points_(memory.measured().timeline()), options_(options) {
    MakeColumns();
    int64_t top = std::max(memory.measured().peak_bytes(), memory.predicted().peak_bytes());
    const int64_t budget = memory.budget_bytes();
    shows_budget_ = budget > 0 && budget <= kBudgetWithin * top;
    if (shows_budget_) top = std::max(top, budget);
    // A little room, so that rounding cuts nothing off.
    row_bytes_ = std::max(1.0, static_cast<double>(top) * 1.001 / options.height);
  }

  Lines Render() const {
    Lines lines = {PeakLine()};
    for (int row = options_.height - 1; row >= 0; --row) lines.push_back(Row(row));
    lines.push_back(AxisLine());
    lines.push_back(PhaseLine());
    const Lines legend = Legend();
    lines.insert(lines.end(), legend.begin(), legend.end());
    return lines;
  }

 private:
  void MakeColumns() {
    const int room = options_.width - kMargin;
    const int count = points_.size();
    // The update is one of hundreds of points, and has a column all the same.
    const bool update = points_[count - 1].phase() == v1::STEP_PHASE_UPDATE;
    const int tasks = update && count > 1 ? count - 1 : count;
    const int columns = std::min(room - (count - tasks), tasks);
    const int repeat = std::max(1, room / count);
    for (int i = 0; i < columns; ++i) {
      AddColumn(static_cast<int>(int64_t{i} * tasks / columns),
                static_cast<int>(int64_t{i + 1} * tasks / columns) - 1, repeat);
    }
    if (tasks < count) AddColumn(tasks, tasks, repeat);
  }

  void AddColumn(int first, int last, int repeat) {
    Column column = {.first = first, .last = last, .most = first};
    const auto& predicted = memory_.predicted().timeline();
    const bool comparable = predicted.size() == points_.size();
    for (int i = first; i <= last; ++i) {
      if (points_[i].bytes().total() > points_[column.most].bytes().total()) column.most = i;
      if (comparable) column.predicted = std::max(column.predicted, predicted[i].bytes().total());
    }
    columns_.insert(columns_.end(), repeat, column);
  }

  int RowOf(int64_t bytes) const { return static_cast<int>(bytes / row_bytes_); }

  // The kind whose bytes are at the middle of the row; null above them all.
  const Kind* KindAt(const v1::MemoryBytes& bytes, int row) const {
    const double middle = (row + 0.5) * row_bytes_;
    int64_t sum = 0;
    for (const Kind& kind : kKinds) {
      sum += (bytes.*kind.bytes)();
      if (static_cast<double>(sum) > middle) return &kind;
    }
    return nullptr;
  }

  std::string Paint(const std::string& text, const char* colour) const {
    return options_.colour ? absl::StrCat("\x1b[", colour, "m", text, "\x1b[0m") : text;
  }

  std::string Label(int row) const {
    const bool is_budget = shows_budget_ && RowOf(memory_.budget_bytes()) == row;
    const bool is_marked = row == options_.height - 1 || row == options_.height / 2 - 1;
    std::string text;
    if (is_budget) {
      text = "budget";
    } else if (is_marked) {
      text = Bytes(static_cast<int64_t>((row + 1) * row_bytes_ / 1.001));
    }
    return absl::StrCat(std::string(std::max(0, kLabelWidth - DisplayWidth(text)), ' '), text,
                        text.empty() ? " │" : " ┤");
  }

  std::string Row(int row) const {
    const bool is_budget = shows_budget_ && RowOf(memory_.budget_bytes()) == row;
    std::string line = Label(row);
    // Cells of a kind that stand side by side are painted at once.
    std::string run;
    const Kind* run_kind = nullptr;
    const auto flush = [&] {
      if (run_kind != nullptr) line += Paint(run, run_kind->colour);
      run.clear();
      run_kind = nullptr;
    };
    for (const Column& column : columns_) {
      const Kind* kind = KindAt(points_[column.most].bytes(), row);
      const bool is_predicted = column.predicted > 0 && RowOf(column.predicted) == row;
      if (is_predicted || kind == nullptr) {
        flush();
        line += is_predicted ? '+' : is_budget ? '-' : ' ';
        continue;
      }
      if (kind != run_kind) flush();
      run_kind = kind;
      run += options_.colour ? std::string("█") : std::string(1, kind->letter);
    }
    flush();
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }

  int PeakColumn() const {
    int most = 0;
    for (int i = 0; i < static_cast<int>(columns_.size()); ++i) {
      const auto total = [&](int column) { return points_[columns_[column].most].bytes().total(); };
      if (total(i) > total(most)) most = i;
    }
    return most;
  }

  std::string PeakLine() const {
    const int column = kMargin + PeakColumn();
    const std::string text = Printable(absl::StrCat(Bytes(memory_.measured().peak_bytes()), ", ",
                                                    PointText(memory_.measured().peak())));
    const int width = DisplayWidth(text);
    if (column + 2 + width <= options_.width) {
      return absl::StrCat(std::string(column, ' '), "▼ ", text);
    }
    if (width + 1 <= column) {
      return absl::StrCat(std::string(column - 1 - width, ' '), text, " ▼");
    }
    return Fit(absl::StrCat("▼ ", text), options_.width);
  }

  // By phases that people tell apart: the column where each begins.
  std::vector<std::pair<std::string, int>> Phases() const {
    std::vector<std::pair<std::string, int>> phases;
    for (int i = 0; i < static_cast<int>(columns_.size()); ++i) {
      const v1::StepPhase phase = points_[columns_[i].first].phase();
      const char* name = phase == v1::STEP_PHASE_FORWARD  ? "forward"
                         : phase == v1::STEP_PHASE_UPDATE ? "update"
                                                          : "backward";
      if (phases.empty() || phases.back().first != name) phases.emplace_back(name, i);
    }
    return phases;
  }

  std::string AxisLine() const {
    std::vector<bool> begins(columns_.size(), false);
    for (const auto& [name, column] : Phases()) begins[column] = column > 0;
    std::string line = absl::StrCat(std::string(kLabelWidth - 1, ' '), "0 └");
    for (const bool begin : begins) line += begin ? "┴" : "─";
    return line;
  }

  std::string PhaseLine() const {
    std::string line;
    for (const auto& [name, begin] : Phases()) {
      const int last_start = options_.width - static_cast<int>(name.size());
      const int start = std::min(kMargin + begin, last_start);
      const int end = static_cast<int>(line.size());
      if (end > 0 && start <= end) continue;
      line += std::string(start - end, ' ') + name;
    }
    return line;
  }

  // Whether the kind is there at any time.
  bool IsThere(const Kind& kind) const {
    return std::any_of(points_.begin(), points_.end(), [&](const v1::MemoryPoint& point) {
      return (point.bytes().*kind.bytes)() > 0;
    });
  }

  // In as many lines as it takes.
  Lines Legend() const {
    Lines lines;
    int width = options_.width;
    const auto add = [&](const std::string& mark, const char* colour, const char* name) {
      const int more = 4 + DisplayWidth(name);
      if (width + more > options_.width) {
        lines.push_back(std::string(kMargin, ' '));
        width = kMargin - 2;
      } else {
        lines.back() += "  ";
      }
      absl::StrAppend(&lines.back(), colour == nullptr ? mark : Paint(mark, colour), " ", name);
      width += more;
    };
    for (const Kind& kind : kKinds) {
      if (!IsThere(kind)) continue;
      add(options_.colour ? "█" : std::string(1, kind.letter), kind.colour, kind.name);
    }
    if (columns_[0].predicted > 0) add("+", nullptr, "predicted");
    return lines;
  }

  const v1::JobMemory& memory_;
  const google::protobuf::RepeatedPtrField<v1::MemoryPoint>& points_;
  const PictureOptions options_;
  std::vector<Column> columns_;
  bool shows_budget_ = false;
  double row_bytes_ = 1;
};

}  // namespace

Lines MemoryPicture(const v1::JobMemory& memory, const PictureOptions& options) {
  if (memory.measured().timeline().empty()) return {};
  return Picture(memory, options).Render();
}

}  // namespace mantissa::cli
