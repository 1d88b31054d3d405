#include "client/cli/help.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

constexpr int kWidth = 96;
// A title longer than this has its help on the next line.
constexpr int kLongestTitle = 30;

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string RenderEntries(const Entries& entries) {
  int width = 0;
  for (const auto& [title, help] : entries) {
    if (DisplayWidth(title) <= kLongestTitle) width = std::max(width, DisplayWidth(title));
  }
  std::string text;
  for (const auto& [title, help] : entries) {
    const std::vector<std::string> lines = Wrap(help, kWidth - width - 4);
    const bool beside = DisplayWidth(title) <= width;
    absl::StrAppend(&text, "  ", title);
    if (!beside) absl::StrAppend(&text, "\n");
    for (size_t i = 0; i < lines.size(); ++i) {
      const int indent = i == 0 && beside ? width - DisplayWidth(title) + 2 : width + 4;
      absl::StrAppend(&text, std::string(indent, ' '), lines[i], "\n");
    }
  }
  return text;
}

std::string RenderFlags(const FlagList& flags, const google::protobuf::Descriptor* message) {
  Entries entries;
  for (const Flag* flag : flags) entries.emplace_back(FlagTitle(*flag, message), FlagHelp(*flag));
  return RenderEntries(entries);
}

std::string RenderParagraphs(absl::string_view text) {
  std::string result;
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n", absl::SkipEmpty())) {
    for (const std::string& line : Wrap(paragraph, kWidth)) absl::StrAppend(&result, line, "\n");
    absl::StrAppend(&result, "\n");
  }
  return result;
}

}  // namespace

std::string UsageLine(const Command& command) {
  std::string line = absl::StrCat("mantissa ", command.name);
  for (const Positional& positional : command.positionals) {
    absl::StrAppend(&line, positional.optional ? " [" : " ", positional.name,
                    positional.optional ? "]" : "");
  }
  return absl::StrCat(line, " [flags]");
}

std::string FlagHelp(const Flag& flag) {
  std::string help = flag.help;
  if (*flag.default_text != '\0') absl::StrAppend(&help, " Default: ", flag.default_text, ".");
  if (*flag.environment != '\0') absl::StrAppend(&help, " Variable: ", flag.environment, ".");
  return help;
}

std::string FlagTitle(const Flag& flag, const google::protobuf::Descriptor* message) {
  const std::string name = ShortName(flag);
  const std::string value = ValueText(flag, message);
  return absl::StrCat(name.empty() ? "    " : absl::StrCat(name, ", "), LongName(flag),
                      value.empty() ? "" : " ", value);
}

std::string CommandHelp(const Command& command) {
  std::string text = absl::StrCat(command.summary, ".\n\n", RenderParagraphs(command.description),
                                  "Usage: ", UsageLine(command), "\n\n");
  if (!command.positionals.empty()) {
    Entries entries;
    for (const Positional& p : command.positionals) entries.emplace_back(p.name, p.help);
    absl::StrAppend(&text, "Arguments:\n", RenderEntries(entries), "\n");
  }
  if (!command.flags.empty()) {
    absl::StrAppend(&text, "Flags:\n", RenderFlags(command.flags, command.message), "\n");
  }
  absl::StrAppend(&text, "Flags of every command:\n", RenderFlags(GlobalFlags(), nullptr), "\n");
  absl::StrAppend(&text, RenderParagraphs(absl::StrCat("With -o json: ", command.json)),
                  "Examples:\n");
  for (const Example& example : command.examples) {
    absl::StrAppend(&text, "  # ", example.what, "\n  $ ", example.line, "\n");
  }
  return text;
}

std::string OverviewHelp(absl::Span<const Command> commands, absl::string_view group) {
  std::string text = "Train networks in mixed precision on a Mantissa server.\n\n";
  for (const Group& candidate : kGroups) {
    if (candidate.name == group) text = absl::StrCat(candidate.summary, ".\n\n");
  }
  const std::string prefix = group.empty() ? "" : absl::StrCat(group, " ");
  absl::StrAppend(&text, "Usage: mantissa ", prefix, "COMMAND [flags]\n\nCommands:\n");
  Entries entries;
  for (const Command& command : commands) {
    if (absl::StartsWith(command.name, prefix)) {
      entries.emplace_back(command.name, absl::StrCat(command.summary, "."));
    }
  }
  absl::StrAppend(&text, RenderEntries(entries), "\nFlags of every command:\n",
                  RenderFlags(GlobalFlags(), nullptr), "\n");
  if (!group.empty()) return text;
  entries.clear();
  for (const ExitCodeInfo& info : kExitCodes) {
    entries.emplace_back(absl::StrCat(static_cast<int>(info.code)), info.meaning);
  }
  absl::StrAppend(&text, "Exit codes:\n", RenderEntries(entries),
                  "\n`mantissa COMMAND --help` has the flags and examples of a command; "
                  "`mantissa man` is the manual.\n");
  return text;
}

}  // namespace mantissa::cli
