#include "client/cli/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"
#include "nlohmann/json.hpp"

namespace mantissa::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::TimeUtil;
using Json = nlohmann::ordered_json;

Json MessageJson(const Message& message);

Json DoubleJson(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

// The double nearest to the float's shortest decimal form: 0.1f is written 0.1.
Json FloatJson(float value) {
  if (!std::isfinite(value)) return DoubleJson(value);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  double shortest = 0;
  std::from_chars(text, end, shortest);
  return shortest;
}

Json EnumJson(const google::protobuf::EnumValueDescriptor* value) { return value->name(); }

Json StringJson(const FieldDescriptor* field, const std::string& value) {
  if (field->type() == FieldDescriptor::TYPE_BYTES) return absl::Base64Escape(value);
  return value;
}

Json SingleJson(const Message& message, const FieldDescriptor* field) {
  const Reflection& get = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return get.GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return get.GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return get.GetUInt32(message, field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return get.GetUInt64(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return DoubleJson(get.GetDouble(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FloatJson(get.GetFloat(message, field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return get.GetBool(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumJson(get.GetEnum(message, field));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringJson(field, get.GetString(message, field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageJson(get.GetMessage(message, field));
  }
  return nullptr;
}

Json RepeatedJson(const Message& message, const FieldDescriptor* field, int i) {
  const Reflection& get = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return get.GetRepeatedInt32(message, field, i);
    case FieldDescriptor::CPPTYPE_INT64:
      return get.GetRepeatedInt64(message, field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return get.GetRepeatedUInt32(message, field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return get.GetRepeatedUInt64(message, field, i);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return DoubleJson(get.GetRepeatedDouble(message, field, i));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FloatJson(get.GetRepeatedFloat(message, field, i));
    case FieldDescriptor::CPPTYPE_BOOL:
      return get.GetRepeatedBool(message, field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumJson(get.GetRepeatedEnum(message, field, i));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringJson(field, get.GetRepeatedString(message, field, i));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageJson(get.GetRepeatedMessage(message, field, i));
  }
  return nullptr;
}

// Maps have string keys in this API; sorted, because protobuf's order is not stable.
Json MapJson(const Message& message, const FieldDescriptor* field) {
  const Reflection& get = *message.GetReflection();
  std::map<std::string, Json> sorted;
  for (int i = 0; i < get.FieldSize(message, field); ++i) {
    const Message& entry = get.GetRepeatedMessage(message, field, i);
    const std::string key =
        entry.GetReflection()->GetString(entry, field->message_type()->map_key());
    sorted[key] = SingleJson(entry, field->message_type()->map_value());
  }
  Json object = Json::object();
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

Json FieldJson(const Message& message, const FieldDescriptor* field) {
  if (field->is_map()) return MapJson(message, field);
  if (!field->is_repeated()) return SingleJson(message, field);
  Json list = Json::array();
  const int size = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < size; ++i) list.push_back(RepeatedJson(message, field, i));
  return list;
}

Json MessageJson(const Message& message) {
  if (message.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
    return TimeUtil::ToString(static_cast<const google::protobuf::Timestamp&>(message));
  }
  if (message.GetDescriptor() == google::protobuf::Duration::descriptor()) {
    return TimeUtil::ToString(static_cast<const google::protobuf::Duration&>(message));
  }
  Json object = Json::object();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->has_presence() && !message.GetReflection()->HasField(message, field)) continue;
    object[field->name()] = FieldJson(message, field);
  }
  return object;
}

// Bytes that are not UTF-8 become U+FFFD: a string of the API is UTF-8, but a server may be wrong.
std::string Dump(const Message& message, int indent) {
  return MessageJson(message).dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string JsonText(const Message& message) { return Dump(message, 2); }

std::string JsonLine(const Message& message) { return Dump(message, -1); }

absl::Status ParseJson(absl::string_view text, Message* message) {
  const auto status =
      google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      status.message().ToString(), ". Allowed is the proto JSON of a ",
      message->GetDescriptor()->full_name(), "; `mantissa submit --dry-run` prints an example."));
}

}  // namespace mantissa::cli
