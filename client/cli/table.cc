#include "client/cli/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/text.h"

namespace mantissa::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  AddRow(titles);
}

void Table::AddRow(const std::vector<std::string>& cells) {
  std::vector<std::string>& row = rows_.emplace_back();
  for (const std::string& cell : cells) row.push_back(Printable(cell));
}

std::string Table::Render() const {
  std::vector<int> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string result;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i]), ' ');
      const bool right = columns_[i].align == kRight;
      absl::StrAppend(&line, i == 0 ? "" : "  ", right ? padding : "", row[i],
                      right ? "" : padding);
    }
    absl::StrAppend(&result, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return result;
}

std::string RenderFacts(const std::vector<std::pair<std::string, std::string>>& facts) {
  int width = 0;
  for (const auto& [name, value] : facts) {
    if (!value.empty()) width = std::max(width, DisplayWidth(name));
  }
  std::string result;
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    const std::string padding(width - DisplayWidth(name) + 2, ' ');
    absl::StrAppend(&result, name, ":", padding, Printable(value), "\n");
  }
  return result;
}

}  // namespace mantissa::cli
