// client/cli/table.h
//
// A table of aligned columns for people.
//
//   Table table({{"NAME"}, {"BYTES", Table::kRight}});
//   table.AddRow({"digits", "12 KiB"});
//   io.Out(table.Render());
//
// Cells are made printable here; no caller needs to.

#ifndef MANTISSA_CLIENT_CLI_TABLE_H_
#define MANTISSA_CLIENT_CLI_TABLE_H_

#include <string>
#include <utility>
#include <vector>

namespace mantissa::cli {

class Table {
 public:
  enum Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = kLeft;
  };

  explicit Table(std::vector<Column> columns);

  // REQUIRES: as many cells as columns.
  void AddRow(const std::vector<std::string>& cells);

  // A line of titles, then a line a row; two spaces between columns, none at the end of a line.
  std::string Render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Lines of "name:  value", values aligned. Values are made printable; rows without value are left
// out.
std::string RenderFacts(const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_TABLE_H_
