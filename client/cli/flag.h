// client/cli/flag.h
//
// A flag of the command line is a row: parsing, --help, the manual page and completion all come
// from it, and so does what it sets in the message that a command sends.
//
//   constexpr Flag kEpochs = {.names = "--epochs", .type = FlagType::kNumber, .value = "N",
//                             .default_text = "200", .help = "Epochs to train.",
//                             .field = "training.epochs"};

#ifndef MANTISSA_CLIENT_CLI_FLAG_H_
#define MANTISSA_CLIENT_CLI_FLAG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace mantissa::cli {

enum class FlagType {
  kSwitch,  // no value; on when given
  kText,    // any text
  kNumber,  // integer or real, as its field is
  kChoice,  // one of `choices`, or of its field's enumeration
  kList,    // comma-separated values; shapes may have x between them
  kMap,     // KEY=VALUE,...; may be given several times
  kPath,    // a file of this machine
  kSize,    // a number of bytes with or without a unit: 8GiB
};

struct Flag {
  // "-o,--output": a short and a long name, or the long one only.
  const char* names;
  FlagType type;
  // What the value is called in help: "N", "FILE". Empty for switches and choices.
  const char* value = "";
  // Default as people read it; empty: none.
  const char* default_text = "";
  // One or two sentences.
  const char* help;
  // Path of the field that it sets in the command's message; empty: the command reads the flag.
  const char* field = "";
  // Of kChoice without a field: "json|table".
  const char* choices = "";
  // Variable of the environment that stands in for the flag.
  const char* environment = "";
  // Key of the settings file that stands in for the flag.
  const char* setting = "";
  // Of kNumber: whether 0 is refused, because the field reads it as "not given".
  bool above_zero = false;
};

// "--output": what the flag is known by.
std::string LongName(const Flag& flag);
// "-o"; empty if it has none.
std::string ShortName(const Flag& flag);

// "json|table", or the names of the field's enumeration in `message`: "none|demotion|..."; empty if
// the flag is no choice. REQUIRES: the field is there.
std::vector<std::string> ChoicesOf(const Flag& flag, const google::protobuf::Descriptor* message);

// "N", "json|table": what stands behind the name in help; empty for switches.
std::string ValueText(const Flag& flag, const google::protobuf::Descriptor* message);

// The field at `path` ("training.epochs") of `message`; null if there is none.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor* message,
                                                   absl::string_view path);

// "nearest-even" for ROUNDING_NEAREST_EVEN.
std::string ChoiceName(const google::protobuf::EnumValueDescriptor* value);

// ChoiceName of a value by its number; of a number that has no name, the number.
std::string EnumText(const google::protobuf::EnumDescriptor* type, int number);

// Sets the flag's field in `message` from the text that was given. InvalidArgument names the flag,
// what was given and what is allowed. REQUIRES: the flag has a field, and `message` has it.
absl::Status SetField(const Flag& flag, absl::string_view text, google::protobuf::Message* message);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_FLAG_H_
