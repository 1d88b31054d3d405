// client/cli/memory_picture.h
//
// The memory of a training step as a picture in characters: a column an operator, stacked by kind.
//
//   for (const std::string& line : MemoryPicture(memory, {.width = 80, .height = 14})) ...
//
//                      ▼ 2.0 MiB, backward of conv1
//    2.0 MiB ┤         ..
//            │      A  AG+
//    1.0 MiB ┤    AAA AAGG
//            │ MMMMMMMMMMM
//            └───────┴─────
//              forward backward
//
// Pure functions.

#ifndef MANTISSA_CLIENT_CLI_MEMORY_PICTURE_H_
#define MANTISSA_CLIENT_CLI_MEMORY_PICTURE_H_

#include <string>
#include <vector>

#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {

struct PictureOptions {
  // Columns in all, and rows of the chart; 40 columns and 4 rows or more.
  int width = 80;
  int height = 14;
  // Coloured blocks instead of letters.
  bool colour = false;
};

// Lines of at most `width` columns, the legend last. Of operators that share a column, the one is
// shown that needed most. `+` is what was predicted, where it has the same operators; a budget that
// is not far above is a line of `-`. Empty where there is no timeline.
std::vector<std::string> MemoryPicture(const v1::JobMemory& memory, const PictureOptions& options);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_MEMORY_PICTURE_H_
