#include "client/cli/series.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

constexpr size_t kMostPoints = 512;
// Fits "1.23e-05" and a space.
constexpr int kLabelWidth = 9;
constexpr const char* kEighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string Label(double value, bool percent) {
  const std::string text =
      percent ? absl::StrFormat("%.1f%%", value * 100) : absl::StrFormat("%.3g", value);
  return absl::StrCat(std::string(std::max(0, kLabelWidth - 1 - DisplayWidth(text)), ' '), text,
                      " ");
}

// The mean of the values that column `column` of `columns` stands for.
double ColumnValue(const std::vector<double>& values, int column, int columns) {
  const size_t from = values.size() * column / columns;
  const size_t to = std::max(from + 1, values.size() * (column + 1) / columns);
  double sum = 0;
  for (size_t i = from; i < to; ++i) sum += values[i];
  return sum / static_cast<double>(to - from);
}

}  // namespace

void Series::Add(double value) {
  if (!std::isfinite(value)) return;
  pending_sum_ += value;
  if (++pending_ < per_point_) return;
  values_.push_back(pending_sum_ / static_cast<double>(pending_));
  pending_ = 0;
  pending_sum_ = 0;
  if (values_.size() < kMostPoints) return;
  for (size_t i = 0; i < values_.size() / 2; ++i) {
    values_[i] = (values_[2 * i] + values_[2 * i + 1]) / 2;
  }
  values_.resize(values_.size() / 2);
  per_point_ *= 2;
}

std::vector<std::string> Chart(const std::vector<double>& values, const ChartOptions& options) {
  if (values.empty()) {
    return std::vector<std::string>(options.height, std::string(options.width, ' '));
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high > *low ? *high - *low : 1;
  const int columns = options.width - kLabelWidth;
  std::vector<std::string> lines(options.height);
  lines.front() = Label(*high, options.percent);
  lines.back() = Label(*low, options.percent);
  for (std::string& line : lines) line.resize(kLabelWidth, ' ');
  for (int column = 0; column < columns; ++column) {
    const double share = (ColumnValue(values, column, columns) - *low) / range;
    // The smallest value still shows one eighth.
    int eighths = 1 + static_cast<int>(std::lround(share * (8 * options.height - 1)));
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      absl::StrAppend(&*line, kEighths[std::clamp(eighths, 0, 8)]);
      eighths -= 8;
    }
  }
  return lines;
}

}  // namespace mantissa::cli
