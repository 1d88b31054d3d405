#include "server/models/json.h"

#include <algorithm>
#include <limits>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "nlohmann/json.hpp"
#include "server/data/names.h"

namespace mantissa::models {
namespace {

constexpr absl::string_view kRemedy = "Export the model again with torch.export.save.";

// Builds a Json from the parser's events.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(absl::string_view name, const Limits& limits, absl::Span<const absl::string_view> ignored)
      : name_(name), limits_(limits), ignored_(ignored) {}

  bool null() override { return Add({}); }
  bool boolean(bool value) override { return Add({value}); }
  bool number_integer(number_integer_t value) override { return Add({int64_t{value}}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Fail(absl::StrCat("the number ", value, " is beyond 64 bits"));
    }
    return Add({static_cast<int64_t>(value)});
  }
  bool number_float(number_float_t value, const string_t& text) override {
    // A whole number that does not fit an integer comes here as well.
    if (text.find_first_of(".eE") == string_t::npos) {
      return Fail(absl::StrCat("the number ", data::Printable(text), " is beyond 64 bits"));
    }
    return Add({value});
  }
  bool string(string_t& value) override { return Add({std::move(value)}); }
  bool binary(binary_t&) override { return Fail("it has binary values"); }
  bool start_object(size_t) override { return Open({Json::Object()}); }
  bool start_array(size_t) override { return Open({Json::List()}); }
  bool end_array() override { return Close(); }

  bool key(string_t& key) override {
    if (skipping()) return true;
    if (std::find(ignored_.begin(), ignored_.end(), key) != ignored_.end()) {
      skip_from_ = depth_;
      return true;
    }
    auto& object = std::get<Json::Object>(open_.back()->value);
    object.emplace_back(std::move(key), Json());
    return true;
  }

  bool end_object() override {
    if (!skipping()) {
      absl::flat_hash_set<absl::string_view> keys;
      for (const auto& [key, value] : std::get<Json::Object>(open_.back()->value)) {
        if (!keys.insert(key).second) {
          return Fail(absl::StrCat("the key \"", data::Printable(key), "\" occurs twice"));
        }
      }
    }
    return Close();
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail(
        absl::StrCat("it is no JSON at byte ", position, " (NaN and infinite numbers are none)"));
  }

  absl::StatusOr<Json> Take() {
    if (!status_.ok()) return status_;
    return std::move(root_);
  }

 private:
  bool skipping() const { return skip_from_ >= 0; }

  bool Fail(absl::string_view what) {
    status_ = absl::InvalidArgumentError(absl::StrCat(name_, ": ", what, ". ", kRemedy));
    return false;
  }
  bool Exceed(absl::string_view what, int64_t limit) {
    status_ = absl::ResourceExhaustedError(
        absl::StrCat(name_, ": it has more than ", limit, " ", what, ", the limit. ", kRemedy));
    return false;
  }

  // Where the next value goes.
  Json* Place() {
    if (open_.empty()) return &root_;
    if (auto* list = std::get_if<Json::List>(&open_.back()->value)) return &list->emplace_back();
    return &std::get<Json::Object>(open_.back()->value).back().second;
  }

  bool Add(Json value) {
    if (skipping()) {
      if (depth_ == skip_from_) skip_from_ = -1;
      return true;
    }
    if (++values_ > limits_.json_values) return Exceed("values", limits_.json_values);
    *Place() = std::move(value);
    return true;
  }

  bool Open(Json value) {
    if (++depth_ > limits_.json_depth) {
      return Exceed("objects and lists inside one another", limits_.json_depth);
    }
    if (skipping()) return true;
    if (++values_ > limits_.json_values) return Exceed("values", limits_.json_values);
    Json* place = Place();
    *place = std::move(value);
    open_.push_back(place);
    return true;
  }

  bool Close() {
    --depth_;
    if (skipping()) {
      if (depth_ == skip_from_) skip_from_ = -1;
    } else {
      open_.pop_back();
    }
    return true;
  }

  const absl::string_view name_;
  const Limits& limits_;
  const absl::Span<const absl::string_view> ignored_;
  Json root_;
  // The objects and lists not yet closed. They stay where they are: only the last one grows.
  std::vector<Json*> open_;
  int depth_ = 0;
  // Depth of the object whose field is being left out, or -1.
  int skip_from_ = -1;
  int64_t values_ = 0;
  absl::Status status_;
};

absl::string_view KindOf(const Json& json) {
  constexpr absl::string_view kKinds[] = {"null",   "true or false", "a whole number", "a number",
                                          "a text", "a list",        "an object"};
  return kKinds[json.value.index()];
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view name, absl::string_view text, const Limits& limits,
                               absl::Span<const absl::string_view> ignored) {
  Builder builder(name, limits, ignored);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.Take();
}

std::string Cursor::Where() const {
  std::string path;
  const Cursor* cursor = this;
  for (; cursor->above_ != nullptr; cursor = cursor->above_) {
    path = cursor->index_ >= 0 ? absl::StrCat("[", cursor->index_, "]", path)
                               : absl::StrCat(".", data::Printable(cursor->key_), path);
  }
  if (path.empty()) return std::string(cursor->key_);
  return absl::StrCat(cursor->key_, ": ", path[0] == '.' ? path.substr(1) : path);
}

absl::Status Cursor::Error(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(Where(), " ", what, ". ", kRemedy));
}

absl::StatusOr<bool> Cursor::Bool() const {
  if (const bool* value = std::get_if<bool>(&json_->value)) return *value;
  return Error(absl::StrCat("is ", KindOf(*json_), "; true or false is needed"));
}

absl::StatusOr<int64_t> Cursor::Whole() const {
  if (const int64_t* value = std::get_if<int64_t>(&json_->value)) return *value;
  return Error(absl::StrCat("is ", KindOf(*json_), "; a whole number is needed"));
}

absl::StatusOr<double> Cursor::Real() const {
  if (const double* value = std::get_if<double>(&json_->value)) return *value;
  if (const int64_t* value = std::get_if<int64_t>(&json_->value)) {
    return static_cast<double>(*value);
  }
  if (const std::string* text = std::get_if<std::string>(&json_->value)) {
    if (*text == "Infinity") return std::numeric_limits<double>::infinity();
    if (*text == "-Infinity") return -std::numeric_limits<double>::infinity();
    return Error(absl::StrCat("is \"", data::Printable(*text), "\"; a number is needed, not NaN"));
  }
  return Error(absl::StrCat("is ", KindOf(*json_), "; a number is needed"));
}

absl::StatusOr<absl::string_view> Cursor::Text() const {
  if (const std::string* value = std::get_if<std::string>(&json_->value)) return *value;
  return Error(absl::StrCat("is ", KindOf(*json_), "; a text is needed"));
}

absl::StatusOr<int64_t> Cursor::ListSize() const {
  if (const auto* list = std::get_if<Json::List>(&json_->value)) return list->size();
  return Error(absl::StrCat("is ", KindOf(*json_), "; a list is needed"));
}

absl::StatusOr<int64_t> Cursor::FieldCount() const {
  if (const auto* object = std::get_if<Json::Object>(&json_->value)) return object->size();
  return Error(absl::StrCat("is ", KindOf(*json_), "; an object is needed"));
}

Cursor Cursor::At(int64_t index) const {
  if (const auto* list = std::get_if<Json::List>(&json_->value)) {
    return Cursor((*list)[index], this, "", index);
  }
  const auto& field = std::get<Json::Object>(json_->value)[index];
  return Cursor(field.second, this, field.first, -1);
}

absl::string_view Cursor::KeyAt(int64_t index) const {
  return std::get<Json::Object>(json_->value)[index].first;
}

absl::StatusOr<std::optional<Cursor>> Cursor::FindField(absl::string_view key) const {
  RETURN_IF_ERROR(FieldCount());
  for (const auto& field : std::get<Json::Object>(json_->value)) {
    if (field.first != key) continue;
    if (std::holds_alternative<std::monostate>(field.second.value)) break;
    return Cursor(field.second, this, field.first, -1);
  }
  return std::nullopt;
}

absl::StatusOr<Cursor> Cursor::Field(absl::string_view key) const {
  ASSIGN_OR_RETURN(std::optional<Cursor> field, FindField(key));
  if (!field.has_value()) return Error(absl::StrCat("has no \"", key, "\""));
  return *field;
}

absl::StatusOr<absl::string_view> Cursor::FieldText(absl::string_view key) const {
  ASSIGN_OR_RETURN(const Cursor field, Field(key));
  return field.Text();
}

absl::StatusOr<bool> Cursor::FieldBool(absl::string_view key) const {
  ASSIGN_OR_RETURN(const Cursor field, Field(key));
  return field.Bool();
}

}  // namespace mantissa::models
