// server/models/program_reader.h
//
// Reads the graph that torch.export wrote, models/*.json of an archive.
//
//   ASSIGN_OR_RETURN(Program program, ReadProgram("models/model.json", text, limits));

#ifndef MANTISSA_SERVER_MODELS_PROGRAM_READER_H_
#define MANTISSA_SERVER_MODELS_PROGRAM_READER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/models/limits.h"
#include "server/models/program.h"

namespace mantissa::models {

// `name` is the file's, for errors. InvalidArgument names the place in the file that is wrong.
absl::StatusOr<Program> ReadProgram(absl::string_view name, absl::string_view json,
                                    const Limits& limits);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_PROGRAM_READER_H_
