// client/cli/series.h
//
// A curve of any length in little memory, and a chart of it in characters.
//
//   Series loss;
//   loss.Add(0.53);
//   for (const std::string& line : Chart(loss.values(), {.width = 40, .height = 5})) ...

#ifndef MANTISSA_CLIENT_CLI_SERIES_H_
#define MANTISSA_CLIENT_CLI_SERIES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace mantissa::cli {

// Keeps at most 512 points: when they are full, each two become their mean. Values that are not
// finite are left out.
class Series {
 public:
  void Add(double value);
  const std::vector<double>& values() const { return values_; }

 private:
  std::vector<double> values_;
  // Values that make a point, and those of the next point so far.
  int64_t per_point_ = 1;
  int64_t pending_ = 0;
  double pending_sum_ = 0;
};

struct ChartOptions {
  // Columns and rows in all; 13 columns and 2 rows or more.
  int width = 40;
  int height = 5;
  // Labels of the axis as percent.
  bool percent = false;
};

// `height` lines of exactly `width` columns: at the left the largest and the smallest value, then
// columns of blocks, an eighth of a line exact. Empty lines if there are no values.
std::vector<std::string> Chart(const std::vector<double>& values, const ChartOptions& options);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_SERIES_H_
