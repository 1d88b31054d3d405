#include "client/cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace mantissa::cli {
namespace {

// Changes of a letter that turn `a` into `b` (Levenshtein).
int Distance(absl::string_view a, absl::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = std::exchange(row[0], static_cast<int>(i));
    for (size_t j = 1; j <= b.size(); ++j) {
      const int changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

using Options = std::vector<std::pair<const Flag*, CLI::Option*>>;

void AddFlags(CLI::App& app, const FlagList& flags, Options& options) {
  for (const Flag* flag : flags) {
    CLI::Option* option = nullptr;
    if (flag->type == FlagType::kSwitch) {
      option = app.add_flag(flag->names);
    } else {
      option = app.add_option(flag->names)->expected(1);
      option->multi_option_policy(flag->type == FlagType::kMap ? CLI::MultiOptionPolicy::TakeAll
                                                               : CLI::MultiOptionPolicy::TakeLast);
      if (flag->type == FlagType::kMap) option->allow_extra_args(false)->expected(1, 1 << 20);
    }
    options.emplace_back(flag, option);
  }
}

void Configure(CLI::App& app) {
  app.set_help_flag();
  app.allow_extras();
  app.fallthrough();
  // Once one is chosen, a job or data set may be called like a command.
  app.require_subcommand(0, 1);
}

// One CLI11 application for the tables.
class Grammar {
 public:
  explicit Grammar(absl::Span<const Command> commands) : commands_(commands) {
    Configure(root_);
    AddFlags(root_, GlobalFlags(), global_);
    for (const Command& command : commands) Add(command);
  }

  absl::StatusOr<Arguments> Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants it
    try {
      root_.parse(words);
    } catch (const CLI::ParseError& error) {
      return Wrong(error.what());
    }
    return Collect();
  }

 private:
  struct Leaf {
    const Command* command;
    CLI::App* app;
    CLI::Option* positionals;
    Options options;
  };

  void Add(const Command& command) {
    const std::vector<std::string> path = absl::StrSplit(command.name, ' ');
    CLI::App* app = &root_;
    for (const std::string& word : path) {
      const auto known =
          app->get_subcommands([&](const CLI::App* s) { return s->get_name() == word; });
      if (known.empty()) {
        app = app->add_subcommand(word);
        Configure(*app);
      } else {
        app = known.front();
      }
    }
    Leaf& leaf = leaves_.emplace_back(Leaf{&command, app, nullptr, {}});
    AddFlags(*app, command.flags, leaf.options);
    leaf.positionals = app->add_option("ARGUMENTS")->expected(0, 1 << 20)->allow_extra_args();
  }

  // The error with the way to more help.
  absl::Status Wrong(absl::string_view what) const {
    const Leaf* leaf = Chosen();
    return absl::InvalidArgumentError(absl::StrCat(
        what, absl::EndsWith(what, ".") || absl::EndsWith(what, "?") ? "" : ".", " See `mantissa ",
        leaf == nullptr ? "" : absl::StrCat(leaf->command->name, " "), "--help`."));
  }

  const Leaf* Chosen() const {
    const auto leaf =
        std::find_if(leaves_.begin(), leaves_.end(), [](const Leaf& l) { return l.app->parsed(); });
    return leaf == leaves_.end() ? nullptr : &*leaf;
  }

  static void Take(const Options& options, Arguments& arguments) {
    for (const auto& [flag, option] : options) {
      if (option->count() == 0) continue;
      if (flag->type == FlagType::kSwitch && !option->as<bool>()) continue;
      arguments.flags[LongName(*flag)] = option->results();
    }
  }

  absl::StatusOr<Arguments> Collect() const {
    Arguments arguments;
    Take(global_, arguments);
    const Leaf* leaf = Chosen();
    if (leaf != nullptr) {
      arguments.command = leaf->command;
      Take(leaf->options, arguments);
      arguments.positionals = leaf->positionals->results();
    } else if (!root_.get_subcommands().empty()) {
      arguments.group = root_.get_subcommands().front()->get_name();
    }
    RETURN_IF_ERROR(CheckExtras(leaf, arguments.group));
    if (leaf != nullptr && !arguments.Has("--help") && !arguments.Has("--version")) {
      RETURN_IF_ERROR(CheckPositionals(*leaf->command, arguments.positionals.size()));
      RETURN_IF_ERROR(CheckChoices(*leaf, arguments));
    }
    return arguments;
  }

  absl::Status CheckExtras(const Leaf* leaf, const std::string& group) const {
    const std::vector<std::string> extras = root_.remaining(/*recurse=*/true);
    if (extras.empty()) return absl::OkStatus();
    const std::string& word = extras.front();
    const bool flag = absl::StartsWith(word, "-");
    const std::string nearest = Nearest(word, flag ? KnownFlags(leaf) : KnownCommands(group));
    return Wrong(absl::StrCat("there is no ", flag ? "flag " : "command ", word, ".",
                              nearest.empty() ? "" : absl::StrCat(" Is ", nearest, " meant?")));
  }

  absl::Status CheckPositionals(const Command& command, size_t given) const {
    for (size_t i = given; i < command.positionals.size(); ++i) {
      const Positional& missing = command.positionals[i];
      if (missing.optional) break;
      return Wrong(absl::StrCat(missing.name, " is missing: ", missing.help));
    }
    if (given > command.positionals.size()) {
      return Wrong(absl::StrCat("there are ", given, " arguments, `", command.name, "` takes ",
                                command.positionals.size()));
    }
    return absl::OkStatus();
  }

  absl::Status CheckChoices(const Leaf& leaf, const Arguments& arguments) const {
    for (const FlagList* flags : {&GlobalFlags(), &leaf.command->flags}) {
      for (const Flag* flag : *flags) {
        if (flag->type != FlagType::kChoice || !arguments.Has(LongName(*flag))) continue;
        const std::vector<std::string> choices = ChoicesOf(*flag, leaf.command->message);
        const std::string given = arguments.Get(LongName(*flag));
        if (std::find(choices.begin(), choices.end(), given) != choices.end()) continue;
        return Wrong(absl::StrCat(LongName(*flag), " is '", given,
                                  "'; allowed: ", absl::StrJoin(choices, ", ")));
      }
    }
    return absl::OkStatus();
  }

  std::vector<std::string> KnownFlags(const Leaf* leaf) const {
    std::vector<std::string> names;
    for (const Flag* flag : GlobalFlags()) names.push_back(LongName(*flag));
    if (leaf == nullptr) return names;
    for (const Flag* flag : leaf->command->flags) names.push_back(LongName(*flag));
    return names;
  }

  std::vector<std::string> KnownCommands(const std::string& group) const {
    std::vector<std::string> names;
    for (const Command& command : commands_) {
      const std::vector<std::string> path = absl::StrSplit(command.name, ' ');
      if (group.empty()) names.push_back(path.front());
      if (!group.empty() && path.front() == group && path.size() > 1) names.push_back(path[1]);
    }
    return names;
  }

  const absl::Span<const Command> commands_;
  CLI::App root_;
  Options global_;
  std::vector<Leaf> leaves_;
};

}  // namespace

absl::StatusOr<Arguments> Parse(absl::Span<const Command> commands,
                                const std::vector<std::string>& words) {
  Grammar grammar(commands);
  return grammar.Parse(words);
}

std::string Nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string nearest;
  int smallest = static_cast<int>(word.size()) / 3 + 1;
  for (const std::string& candidate : known) {
    const int distance = Distance(word, candidate);
    if (distance > smallest || (distance == smallest && !nearest.empty())) continue;
    smallest = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace mantissa::cli
