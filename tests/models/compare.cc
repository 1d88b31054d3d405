// Replays every archive of a folder with the engine and compares with PyTorch:
//
//   bazel run //tests/models:compare -- [--only PART OF A NAME] [--write docs/models.md] DIR...
//
// Folders are laid out as recorded_model.h says. Prints a line a model; exits 1 if one is outside
// its tolerances or cannot be imported, 2 if a folder cannot be read.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "tests/models/judge.h"
#include "tests/models/recorded_model.h"
#include "tests/models/table.h"

namespace mantissa::model_replay {
namespace {

void PrintLine(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

// `bazel run` starts elsewhere than it was called.
std::string FromCaller(const std::string& path) {
  const char* const caller = std::getenv("BUILD_WORKING_DIRECTORY");
  return caller == nullptr || path.starts_with('/') ? path : JoinPath(caller, path);
}

struct Arguments {
  std::vector<std::string> folders;
  std::string only, document;
};

absl::StatusOr<std::vector<Report>> ExamineAll(const Arguments& arguments) {
  std::vector<Report> reports;
  PrintLine(Head());
  for (const std::string& argument : arguments.folders) {
    const std::string folder = FromCaller(argument);
    ASSIGN_OR_RETURN(const std::vector<Exported> models, ListModels(folder));
    for (const Exported& exported : models) {
      if (!absl::StrContains(exported.name, arguments.only)) continue;
      const Report& report = reports.emplace_back(Examine(folder, exported));
      PrintLine(Line(report));
      for (const std::string& note : report.notes) PrintLine(absl::StrCat("    note: ", note));
      for (const std::string& failure : report.failures) PrintLine(absl::StrCat("    ", failure));
    }
  }
  return reports;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Compares exported models with PyTorch.");
  app.add_option("folders", arguments.folders, "Folders of archives")->required();
  app.add_option("--only", arguments.only, "Models whose name has this in it");
  app.add_option("--write", arguments.document, "Writes the table as Markdown");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(1);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  const absl::StatusOr<std::vector<Report>> reports = ExamineAll(arguments);
  if (!reports.ok()) {
    PrintLine(std::string(reports.status().message()));
    return 2;
  }
  size_t failed = 0;
  for (const Report& report : *reports) failed += report.failures.empty() ? 0 : 1;
  PrintLine(absl::StrCat(reports->size(), " models, ", reports->size() - failed, " within, ",
                         failed, " failed"));
  if (!arguments.document.empty()) {
    const absl::Status written =
        RealFileSystem().WriteAtomically(FromCaller(arguments.document), Document(*reports));
    if (!written.ok()) {
      PrintLine(std::string(written.message()));
      return 2;
    }
  }
  return failed == 0 && !reports->empty() ? 0 : 1;
}

}  // namespace
}  // namespace mantissa::model_replay

int main(int argc, char** argv) { return mantissa::model_replay::Main(argc, argv); }
