#include "client/cli/flag.h"

#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "client/cli/byte_size.h"

namespace mantissa::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Wrong(const Flag& flag, absl::string_view given, absl::string_view allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat(LongName(flag), " is '", given, "'; allowed: ", allowed, "."));
}

const EnumValueDescriptor* FindChoice(const EnumDescriptor* type, absl::string_view name) {
  for (int i = 1; i < type->value_count(); ++i) {
    if (ChoiceName(type->value(i)) == name) return type->value(i);
  }
  return nullptr;
}

std::vector<std::string> EnumChoices(const EnumDescriptor* type) {
  std::vector<std::string> names;
  // The first value is the one for "not set".
  for (int i = 1; i < type->value_count(); ++i) names.push_back(ChoiceName(type->value(i)));
  return names;
}

// Sets or appends one value of a field. False if `text` is none of its type.
class FieldSetter {
 public:
  FieldSetter(Message* message, const FieldDescriptor* field) : message_(message), field_(field) {}

  bool Set(absl::string_view text) const {
    switch (field_->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return SetInteger<int32_t>(text, &Reflection::SetInt32, &Reflection::AddInt32);
      case FieldDescriptor::CPPTYPE_INT64:
        return SetInteger<int64_t>(text, &Reflection::SetInt64, &Reflection::AddInt64);
      case FieldDescriptor::CPPTYPE_UINT64:
        return SetInteger<uint64_t>(text, &Reflection::SetUInt64, &Reflection::AddUInt64);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return SetReal(text);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return SetFloat(text);
      case FieldDescriptor::CPPTYPE_BOOL:
        return SetBool(text);
      case FieldDescriptor::CPPTYPE_STRING:
        Put(std::string(text), &Reflection::SetString, &Reflection::AddString);
        return true;
      case FieldDescriptor::CPPTYPE_ENUM:
        return SetEnum(text);
      default:
        return false;
    }
  }

 private:
  using Reflection = google::protobuf::Reflection;
  template <typename T>
  using Method = void (Reflection::*)(Message*, const FieldDescriptor*, T) const;

  template <typename T, typename U>
  void Put(U value, Method<T> set, Method<T> add) const {
    const Reflection& reflection = *message_->GetReflection();
    (reflection.*(field_->is_repeated() ? add : set))(message_, field_, std::move(value));
  }

  template <typename T>
  bool SetInteger(absl::string_view text, Method<T> set, Method<T> add) const {
    T value;
    if (!absl::SimpleAtoi(text, &value)) return false;
    Put(value, set, add);
    return true;
  }

  // Takes nan and inf too: whether they make sense is for the server to say.
  bool SetReal(absl::string_view text) const {
    double value;
    if (!absl::SimpleAtod(text, &value)) return false;
    Put(value, &Reflection::SetDouble, &Reflection::AddDouble);
    return true;
  }

  bool SetFloat(absl::string_view text) const {
    float value;
    if (!absl::SimpleAtof(text, &value)) return false;
    Put(value, &Reflection::SetFloat, &Reflection::AddFloat);
    return true;
  }

  bool SetBool(absl::string_view text) const {
    if (text != "true" && text != "false") return false;
    Put(text == "true", &Reflection::SetBool, &Reflection::AddBool);
    return true;
  }

  bool SetEnum(absl::string_view text) const {
    const EnumValueDescriptor* value = FindChoice(field_->enum_type(), text);
    if (value == nullptr) return false;
    Put(value, &Reflection::SetEnum, &Reflection::AddEnum);
    return true;
  }

  Message* const message_;
  const FieldDescriptor* const field_;
};

const char* TypeText(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "a whole number from 0";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    default:
      return "text";
  }
}

std::string Allowed(const Flag& flag, const FieldDescriptor* field) {
  const std::string one = field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM
                              ? absl::StrJoin(EnumChoices(field->enum_type()), ", ")
                              : TypeText(field);
  return flag.type == FlagType::kList ? absl::StrCat("a list of ", one) : one;
}

// KEY=VALUE,... added to a map<string, string>; a later value of a key replaces the earlier.
absl::Status SetMap(const Flag& flag, absl::string_view text, Message* message,
                    const FieldDescriptor* field) {
  const auto& reflection = *message->GetReflection();
  for (absl::string_view pair : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == absl::string_view::npos) {
      return Wrong(flag, text, "KEY=VALUE pairs with commas between");
    }
    Message* entry = reflection.AddMessage(message, field);
    const auto& parts = *entry->GetReflection();
    parts.SetString(entry, field->message_type()->map_key(), std::string(pair.substr(0, equals)));
    parts.SetString(entry, field->message_type()->map_value(),
                    std::string(pair.substr(equals + 1)));
  }
  return absl::OkStatus();
}

absl::Status SetList(const Flag& flag, absl::string_view text, Message* message,
                     const FieldDescriptor* field) {
  message->GetReflection()->ClearField(message, field);
  const bool numbers = field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM &&
                       field->cpp_type() != FieldDescriptor::CPPTYPE_STRING;
  const FieldSetter setter(message, field);
  const auto separators = absl::ByAnyChar(numbers ? ",x \n\t\r" : ",");
  for (absl::string_view item : absl::StrSplit(text, separators, absl::SkipWhitespace())) {
    if (!setter.Set(item)) return Wrong(flag, text, Allowed(flag, field));
  }
  return absl::OkStatus();
}

absl::Status SetSize(const Flag& flag, absl::string_view text, Message* message,
                     const FieldDescriptor* field) {
  const std::optional<int64_t> bytes = ParseByteSize(text);
  if (!bytes.has_value()) return Wrong(flag, text, AllowedByteSizes());
  message->GetReflection()->SetInt64(message, field, *bytes);
  return absl::OkStatus();
}

}  // namespace

std::string LongName(const Flag& flag) {
  const std::vector<std::string> names = absl::StrSplit(flag.names, ',');
  return names.back();
}

std::string ShortName(const Flag& flag) {
  const std::vector<std::string> names = absl::StrSplit(flag.names, ',');
  return names.size() > 1 ? names.front() : "";
}

std::vector<std::string> ChoicesOf(const Flag& flag, const Descriptor* message) {
  if (*flag.choices != '\0') return absl::StrSplit(flag.choices, '|');
  if (*flag.field == '\0') return {};
  const FieldDescriptor* field = FindField(message, flag.field);
  MANTISSA_CHECK(field != nullptr, flag.names, " sets ", flag.field);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return {"true", "false"};
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return {};
  return EnumChoices(field->enum_type());
}

std::string ValueText(const Flag& flag, const Descriptor* message) {
  if (flag.type == FlagType::kSwitch) return "";
  if (*flag.value != '\0') return flag.value;
  return absl::StrJoin(ChoicesOf(flag, message), "|");
}

const FieldDescriptor* FindField(const Descriptor* message, absl::string_view path) {
  const FieldDescriptor* field = nullptr;
  for (absl::string_view name : absl::StrSplit(path, '.')) {
    if (message == nullptr) return nullptr;
    field = message->FindFieldByName(std::string(name));
    if (field == nullptr) return nullptr;
    message = field->message_type();
  }
  return field;
}

std::string ChoiceName(const EnumValueDescriptor* value) {
  // The values' names start with the type's: PolicyName has POLICY_NAME_DEMOTION.
  std::string prefix;
  for (char c : value->type()->name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  absl::string_view name = value->name();
  if (absl::StartsWith(name, prefix + "_")) name.remove_prefix(prefix.size() + 1);
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
}

std::string EnumText(const EnumDescriptor* type, int number) {
  const EnumValueDescriptor* value = type->FindValueByNumber(number);
  return value == nullptr ? absl::StrCat(number) : ChoiceName(value);
}

absl::Status SetField(const Flag& flag, absl::string_view text, Message* message) {
  const std::vector<std::string> path = absl::StrSplit(flag.field, '.');
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const FieldDescriptor* outer = message->GetDescriptor()->FindFieldByName(path[i]);
    MANTISSA_CHECK(outer != nullptr, flag.names, " sets ", flag.field);
    message = message->GetReflection()->MutableMessage(message, outer);
  }
  const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(path.back());
  MANTISSA_CHECK(field != nullptr, flag.names, " sets ", flag.field);
  if (field->is_map()) return SetMap(flag, text, message, field);
  if (field->is_repeated()) return SetList(flag, text, message, field);
  if (flag.type == FlagType::kSize) return SetSize(flag, text, message, field);
  if (!FieldSetter(message, field).Set(text)) return Wrong(flag, text, Allowed(flag, field));
  return absl::OkStatus();
}

}  // namespace mantissa::cli
