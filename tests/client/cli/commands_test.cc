// Forbids gaps in the tables, and in what is made from them.

#include "client/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "client/cli/completion.h"
#include "client/cli/help.h"
#include "client/cli/man.h"
#include "client/cli/parse.h"
#include "google/protobuf/descriptor.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

FlagList AllFlags(const Command& command) { return Join({GlobalFlags(), command.flags}); }

std::string Words(const Command& command) { return absl::StrCat("mantissa ", command.name); }

TEST(CommandsTest, EveryFlagIsDocumentedInFull) {
  for (const Command& command : Commands()) {
    for (const Flag* flag : AllFlags(command)) {
      SCOPED_TRACE(absl::StrCat(command.name, " ", flag->names));
      EXPECT_TRUE(absl::StartsWith(LongName(*flag), "--"));
      EXPECT_GT(std::string(flag->help).size(), 15u);
      EXPECT_TRUE(absl::EndsWith(flag->help, "."));
      const bool takes_value = flag->type != FlagType::kSwitch;
      EXPECT_EQ(takes_value, !ValueText(*flag, command.message).empty());
    }
  }
}

TEST(CommandsTest, EveryFieldOfFlagExistsAndFitsItsType) {
  for (const Command& command : Commands()) {
    for (const Flag* flag : command.flags) {
      if (*flag->field == '\0') continue;
      SCOPED_TRACE(absl::StrCat(command.name, " ", flag->names, " sets ", flag->field));
      ASSERT_NE(command.message, nullptr);
      const auto* field = FindField(command.message, flag->field);
      ASSERT_NE(field, nullptr);
      EXPECT_EQ(field->is_map(), flag->type == FlagType::kMap);
      EXPECT_EQ(field->is_repeated() && !field->is_map(), flag->type == FlagType::kList);
      const bool choice =
          field->cpp_type() == field->CPPTYPE_ENUM || field->cpp_type() == field->CPPTYPE_BOOL;
      EXPECT_EQ(choice && !field->is_repeated(), flag->type == FlagType::kChoice);
    }
  }
}

TEST(CommandsTest, NoTwoFlagsOfCommandShareName) {
  for (const Command& command : Commands()) {
    std::set<std::string> names;
    for (const Flag* flag : AllFlags(command)) {
      for (absl::string_view name : absl::StrSplit(flag->names, ',')) {
        EXPECT_TRUE(names.insert(std::string(name)).second) << command.name << " " << name;
      }
    }
  }
}

TEST(CommandsTest, JobFlagsReachEveryFieldOfJob) {
  std::set<std::string> reached;
  for (const Flag* flag : SubmitFlags()) reached.insert(flag->field);
  for (const char* message : {"model", "precision", "training"}) {
    const auto* type = FindField(v1::JobSpec::descriptor(), message)->message_type();
    for (int i = 0; i < type->field_count(); ++i) {
      const std::string path = absl::StrCat(message, ".", type->field(i)->name());
      if (path == "training.init_sha256") continue;  // --init uploads and sets it
      if (path == "model.sha256") continue;          // --model FILE does
      EXPECT_EQ(reached.count(path), 1u) << path;
    }
  }
}

TEST(CommandsTest, EveryCommandHasExamplesThatParse) {
  for (const Command& command : Commands()) {
    ASSERT_FALSE(command.examples.empty()) << command.name;
    for (const Example& example : command.examples) {
      SCOPED_TRACE(example.line);
      ASSERT_THAT(example.line, HasSubstr(Words(command)));
      // What stands behind the command in a pipe or a redirection is the shell's.
      std::string line =
          std::string(example.line).substr(std::string(example.line).find("mantissa"));
      line = line.substr(0, line.find_first_of("|>)"));
      std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      words.erase(words.begin());
      const auto arguments = Parse(Commands(), words);
      ASSERT_TRUE(arguments.ok()) << arguments.status();
      EXPECT_EQ(arguments->command, &command);
    }
  }
}

TEST(CommandsTest, EveryCommandIsDescribedAndSaysItsJson) {
  for (const Command& command : Commands()) {
    EXPECT_FALSE(std::string(command.summary).empty()) << command.name;
    EXPECT_FALSE(absl::EndsWith(command.summary, ".")) << command.name;
    const std::string json = command.json;
    EXPECT_TRUE(absl::EndsWith(json, ".")) << command.name;
    // A message that it names is one of the API.
    const size_t at = json.find("mantissa.v1.");
    if (at == std::string::npos) continue;
    const std::string name = json.substr(at, json.find_first_of(" ;,", at) - at);
    EXPECT_NE(google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
                  std::string(absl::StripSuffix(name, "."))),
              nullptr)
        << name;
  }
}

TEST(CommandsTest, HelpAndManualShowEveryFlagAndExample) {
  const std::string man = ManPage(Commands());
  for (const Command& command : Commands()) {
    const std::string help = CommandHelp(command);
    for (const Flag* flag : AllFlags(command)) {
      EXPECT_THAT(help, HasSubstr(FlagTitle(*flag, command.message)));
    }
    for (const Example& example : command.examples) {
      EXPECT_THAT(help, HasSubstr(absl::StrCat("$ ", example.line)));
    }
    EXPECT_THAT(man, HasSubstr(absl::StrReplaceAll(UsageLine(command), {{"-", "\\-"}})));
  }
  EXPECT_THAT(man, Not(HasSubstr("\n'")));
}

TEST(CommandsTest, ManualPageInDocsIsCurrent) {
  const auto page = RealFileSystem().Read("docs/mantissa.1");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(*page, ManPage(Commands()))
      << "Write it again: bazel run //client/cli:mantissa -- man > docs/mantissa.1";
}

TEST(CommandsTest, CompletionKnowsEveryCommandFlagAndChoice) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = *CompletionScript(Commands(), shell);
    for (const Command& command : Commands()) {
      for (const Flag* flag : AllFlags(command)) {
        SCOPED_TRACE(absl::StrCat(shell, " ", command.name, " ", flag->names));
        const std::string name = LongName(*flag).substr(2);
        EXPECT_THAT(script, HasSubstr(std::string(shell) == "fish" ? absl::StrCat("-l ", name)
                                                                   : absl::StrCat("--", name)));
        for (const std::string& choice : ChoicesOf(*flag, command.message)) {
          EXPECT_THAT(script, HasSubstr(choice));
        }
      }
    }
  }
  EXPECT_TRUE(absl::IsInvalidArgument(CompletionScript(Commands(), "csh").status()));
}

}  // namespace
}  // namespace mantissa::cli
