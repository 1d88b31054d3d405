#include "client/cli/completion.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace mantissa::cli {
namespace {

FlagList AllFlags(const Command& command) { return Join({command.flags, GlobalFlags()}); }

// Both names of a flag, the short one first.
std::vector<std::string> Names(const Flag& flag) { return absl::StrSplit(flag.names, ','); }

std::string FirstSentence(absl::string_view text) {
  return std::string(text.substr(0, text.find(". ")));
}

// The words that may follow `prefix` ("" or "dataset") as a command, each with its summary.
std::vector<std::pair<std::string, std::string>> NextWords(absl::Span<const Command> commands,
                                                           absl::string_view prefix) {
  std::vector<std::pair<std::string, std::string>> words;
  for (const Command& command : commands) {
    const std::vector<std::string> path = absl::StrSplit(command.name, ' ');
    if (prefix.empty() && path.size() == 1) words.emplace_back(path[0], command.summary);
    if (path.size() == 2 && path[0] == prefix) words.emplace_back(path[1], command.summary);
  }
  if (prefix.empty()) {
    for (const Group& group : kGroups) words.emplace_back(group.name, group.summary);
  }
  return words;
}

std::string Words(absl::Span<const Command> commands, absl::string_view prefix) {
  return absl::StrJoin(NextWords(commands, prefix), " ",
                       [](std::string* out, const auto& word) { *out += word.first; });
}

// Bash: what a flag's value may be, in a case on "command flag".
std::string BashValues(const Command& command) {
  std::string cases;
  for (const Flag* flag : AllFlags(command)) {
    if (flag->type == FlagType::kSwitch) continue;
    const std::string pattern =
        absl::StrJoin(Names(*flag), "|", [&](std::string* out, const std::string& name) {
          absl::StrAppend(out, "'", command.name, " ", name, "'");
        });
    const std::vector<std::string> choices = ChoicesOf(*flag, command.message);
    if (flag->type == FlagType::kPath) {
      absl::StrAppend(&cases, "    ", pattern,
                      ") COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n");
    } else {
      absl::StrAppend(&cases, "    ", pattern, ") COMPREPLY=($(compgen -W '",
                      absl::StrJoin(choices, " "), "' -- \"$cur\")); return;;\n");
    }
  }
  return cases;
}

// Bash: flags and arguments of a command.
std::string BashWords(const Command& command) {
  std::vector<std::string> words;
  for (const Flag* flag : AllFlags(command)) words.push_back(LongName(*flag));
  bool files = false;
  for (const Positional& positional : command.positionals) {
    if (absl::string_view(positional.choices) == "FILE") {
      files = true;
    } else {
      words.push_back(absl::StrReplaceAll(positional.choices, {{"|", " "}}));
    }
  }
  return absl::StrCat("    '", command.name, "') COMPREPLY=($(compgen ", files ? "-f " : "", "-W '",
                      absl::StrJoin(words, " "), "' -- \"$cur\"));;\n");
}

std::string BashScript(absl::Span<const Command> commands) {
  std::string groups, values, words;
  for (const Group& group : kGroups) {
    absl::StrAppend(&groups, "    '", group.name, "') COMPREPLY=($(compgen -W '",
                    Words(commands, group.name), "' -- \"$cur\"));;\n");
  }
  for (const Command& command : commands) {
    absl::StrAppend(&values, BashValues(command));
    absl::StrAppend(&words, BashWords(command));
  }
  return absl::StrCat(
      "# Completion of mantissa for bash: source <(mantissa completion bash)\n"
      "_mantissa() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command= word i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    [[ $word == -* ]] && break\n"
      "    case \"${command:+$command }$word\" in\n"
      "    ",
      absl::StrJoin(commands, "|",
                    [](std::string* out, const Command& command) {
                      absl::StrAppend(out, "'", command.name, "'");
                    }),
      "|",
      absl::StrJoin(
          kGroups, "|",
          [](std::string* out, const Group& group) { absl::StrAppend(out, "'", group.name, "'"); }),
      ") command=\"${command:+$command }$word\";;\n"
      "    *) break;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command $prev\" in\n",
      values, "  esac\n  case \"$command\" in\n    '') COMPREPLY=($(compgen -W '",
      Words(commands, ""), " --help --version' -- \"$cur\"));;\n", groups, words,
      "  esac\n}\ncomplete -o filenames -F _mantissa mantissa\n");
}

// Quoted for zsh's _arguments, where : [ ] have a meaning.
std::string ZshQuote(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"'", "'\\''"}, {":", "\\:"}, {"[", "("}, {"]", ")"}});
}

std::string ZshFlag(const Flag& flag, const Command& command) {
  std::string value;
  if (flag.type == FlagType::kPath) {
    value = ":file:_files";
  } else if (flag.type != FlagType::kSwitch) {
    value = absl::StrCat(":value:(", absl::StrJoin(ChoicesOf(flag, command.message), " "), ")");
  }
  std::string text;
  for (const std::string& name : Names(flag)) {
    absl::StrAppend(&text, " \\\n        '", name, "[", ZshQuote(FirstSentence(flag.help)), "]",
                    value, "'");
  }
  return text;
}

std::string ZshCommand(const Command& command) {
  std::string text = absl::StrCat("    '", command.name, "')\n      _arguments");
  for (const Flag* flag : AllFlags(command)) absl::StrAppend(&text, ZshFlag(*flag, command));
  for (const Positional& positional : command.positionals) {
    const absl::string_view choices = positional.choices;
    const std::string action =
        choices == "FILE" ? "_files"
                          : absl::StrCat("(", absl::StrReplaceAll(choices, {{"|", " "}}), ")");
    absl::StrAppend(&text, " \\\n        '", positional.optional ? "::" : ":", positional.name, ":",
                    action, "'");
  }
  return absl::StrCat(text, ";;\n");
}

std::string ZshWords(absl::Span<const Command> commands, absl::string_view prefix) {
  std::string text;
  for (const auto& [word, summary] : NextWords(commands, prefix)) {
    absl::StrAppend(&text, " '", word, ":", ZshQuote(summary), "'");
  }
  return text;
}

std::string ZshScript(absl::Span<const Command> commands) {
  std::string text = absl::StrCat(
      "#compdef mantissa\n"
      "# Completion of mantissa for zsh: source <(mantissa completion zsh)\n"
      "_mantissa() {\n"
      "  local command=$words[2] depth=2\n"
      "  local -a next\n"
      "  if (( CURRENT == 2 )); then\n"
      "    next=(",
      ZshWords(commands, ""),
      ")\n    _describe command next\n    return\n  fi\n"
      "  case $command in\n");
  for (const Group& group : kGroups) {
    absl::StrAppend(&text, "    ", group.name, ")\n      if (( CURRENT == 3 )); then\n",
                    "        next=(", ZshWords(commands, group.name),
                    ")\n        _describe command next\n        return\n      fi\n",
                    "      command=\"$command $words[3]\" depth=3;;\n");
  }
  absl::StrAppend(&text,
                  "  esac\n  shift $((depth - 1)) words\n  (( CURRENT -= depth - 1 ))\n"
                  "  case $command in\n");
  for (const Command& command : commands) absl::StrAppend(&text, ZshCommand(command));
  return absl::StrCat(text, "  esac\n}\ncompdef _mantissa mantissa\n");
}

std::string FishQuote(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string FishFlag(const Flag& flag, const Command& command, absl::string_view condition) {
  std::string line = absl::StrCat("complete -c mantissa -n ", FishQuote(condition), " -l ",
                                  LongName(flag).substr(2));
  if (!ShortName(flag).empty()) absl::StrAppend(&line, " -s ", ShortName(flag).substr(1));
  if (flag.type == FlagType::kPath) {
    absl::StrAppend(&line, " -r -F");
  } else if (flag.type != FlagType::kSwitch) {
    absl::StrAppend(&line, " -x");
    const std::vector<std::string> choices = ChoicesOf(flag, command.message);
    if (!choices.empty()) absl::StrAppend(&line, " -a ", FishQuote(absl::StrJoin(choices, " ")));
  }
  return absl::StrCat(line, " -d ", FishQuote(FirstSentence(flag.help)), "\n");
}

std::string FishCommand(const Command& command) {
  const std::string condition = absl::StrCat("__mantissa_at ", command.name);
  std::string text;
  for (const Flag* flag : AllFlags(command)) {
    absl::StrAppend(&text, FishFlag(*flag, command, condition));
  }
  for (const Positional& positional : command.positionals) {
    const absl::string_view choices = positional.choices;
    if (choices.empty()) continue;
    absl::StrAppend(
        &text, "complete -c mantissa -n ", FishQuote(condition),
        choices == "FILE"
            ? " -F"
            : absl::StrCat(" -a ", FishQuote(absl::StrReplaceAll(choices, {{"|", " "}}))),
        "\n");
  }
  return text;
}

std::string FishWords(absl::Span<const Command> commands, absl::string_view prefix) {
  std::string text;
  for (const auto& [word, summary] : NextWords(commands, prefix)) {
    absl::StrAppend(
        &text, "complete -c mantissa -n ",
        FishQuote(absl::StrCat("__mantissa_exactly", prefix.empty() ? "" : " ", prefix)), " -a ",
        word, " -d ", FishQuote(summary), "\n");
  }
  return text;
}

std::string FishScript(absl::Span<const Command> commands) {
  std::string text =
      "# Completion of mantissa for fish: mantissa completion fish | source\n"
      "function __mantissa_words\n"
      "    string match -v -- '-*' (commandline -opc)[2..]\n"
      "end\n"
      "function __mantissa_at\n"
      "    set -l words (__mantissa_words)\n"
      "    set -l size (count $argv)\n"
      "    test (count $words) -ge $size; and test \"$words[1..$size]\" = \"$argv\"\n"
      "end\n"
      "function __mantissa_exactly\n"
      "    set -l words (__mantissa_words)\n"
      "    test \"$words\" = \"$argv\"\n"
      "end\n"
      "complete -c mantissa -f\n";
  absl::StrAppend(&text, FishWords(commands, ""));
  for (const Group& group : kGroups) absl::StrAppend(&text, FishWords(commands, group.name));
  for (const Command& command : commands) absl::StrAppend(&text, FishCommand(command));
  return text;
}

}  // namespace

absl::StatusOr<std::string> CompletionScript(absl::Span<const Command> commands,
                                             absl::string_view shell) {
  if (shell == "bash") return BashScript(commands);
  if (shell == "zsh") return ZshScript(commands);
  if (shell == "fish") return FishScript(commands);
  return absl::InvalidArgumentError(
      absl::StrCat("SHELL is '", shell, "'; allowed: bash, zsh, fish."));
}

}  // namespace mantissa::cli
