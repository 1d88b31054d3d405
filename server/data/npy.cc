#include "server/data/npy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "server/data/bytes.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr absl::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = 65536;
constexpr int kMaxDimensions = 32;  // NumPy's own

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// The header is a Python dictionary of three entries, which this reads and nothing more.
class HeaderParser {
 public:
  explicit HeaderParser(absl::string_view text) : text_(text) {}

  std::optional<Header> Parse() {
    Header header;
    bool has_descr = false, has_order = false, has_shape = false;
    if (!Take('{')) return std::nullopt;
    while (!Take('}')) {
      std::string key;
      if (!TakeString(&key) || !Take(':')) return std::nullopt;
      bool* seen = key == "descr"           ? &has_descr
                   : key == "fortran_order" ? &has_order
                   : key == "shape"         ? &has_shape
                                            : nullptr;
      if (seen == nullptr || std::exchange(*seen, true)) return std::nullopt;
      bool good = seen == &has_descr   ? TakeString(&header.descr)
                  : seen == &has_order ? TakeBool(&header.fortran_order)
                                       : TakeShape(&header.shape);
      if (!good) return std::nullopt;
      if (!Take(',') && !Peek('}')) return std::nullopt;
    }
    SkipSpace();
    if (!text_.empty() || !has_descr || !has_order || !has_shape) return std::nullopt;
    return header;
  }

 private:
  void SkipSpace() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }
  bool Peek(char c) {
    SkipSpace();
    return !text_.empty() && text_[0] == c;
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeString(std::string* value) {
    char quote = Peek('"') ? '"' : '\'';
    if (!Take(quote)) return false;
    size_t end = text_.find(quote);
    if (end == absl::string_view::npos) return false;
    *value = std::string(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return value->find('\\') == std::string::npos;
  }
  bool TakeBool(bool* value) {
    SkipSpace();
    *value = absl::ConsumePrefix(&text_, "True");
    return *value || absl::ConsumePrefix(&text_, "False");
  }
  bool TakeShape(std::vector<int64_t>* shape) {
    if (!Take('(')) return false;
    while (!Take(')')) {
      SkipSpace();
      size_t digits = std::min(text_.find_first_not_of("0123456789"), text_.size());
      int64_t size;
      if (digits == 0 || !absl::SimpleAtoi(text_.substr(0, digits), &size)) return false;
      text_.remove_prefix(digits);
      if (shape->size() == kMaxDimensions) return false;
      shape->push_back(size);
      if (!Take(',') && !Peek(')')) return false;
    }
    return true;
  }

  absl::string_view text_;
};

absl::Status Bad(absl::string_view name, absl::string_view what, absl::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", what, ". ", remedy));
}

constexpr absl::string_view kWriteAgain = "Write it again with numpy.save or numpy.savez.";
constexpr absl::string_view kAllowedTypes =
    "Allowed are bool, integers and float16 to float64; convert it with astype().";

// Sets kind and item_size; true in `swap` where the file has the other byte order.
absl::Status ReadType(absl::string_view name, absl::string_view descr, NpyArray& array,
                      bool& swap) {
  absl::Status bad =
      Bad(name, absl::StrCat("its elements are of type '", Printable(descr), "'"), kAllowedTypes);
  if (descr.size() != 3 || !absl::StrContains("<>|=", descr[0])) return bad;
  array.kind = descr[1];
  array.item_size = descr[2] - '0';
  bool size_1 = array.item_size == 1;
  bool size_2_to_8 = array.item_size == 2 || array.item_size == 4 || array.item_size == 8;
  switch (array.kind) {
    case 'b':
      if (!size_1) return bad;
      break;
    case 'u':
    case 'i':
      if (!size_1 && !size_2_to_8) return bad;
      break;
    case 'f':
      if (!size_2_to_8) return bad;
      break;
    default:
      return bad;
  }
  swap = descr[0] == '>' && !size_1;
  return absl::OkStatus();
}

// Row-major from column-major.
std::string FromFortranOrder(absl::string_view bytes, const std::vector<int64_t>& shape,
                             int item_size) {
  std::vector<int64_t> strides(shape.size());  // of the file, in bytes
  int64_t stride = item_size;
  for (size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  std::string out(bytes.size(), '\0');
  std::vector<int64_t> index(shape.size());
  int64_t from = 0;
  for (size_t to = 0; to < out.size(); to += item_size) {
    std::memcpy(out.data() + to, bytes.data() + from, item_size);
    for (size_t d = shape.size(); d-- > 0;) {
      from += strides[d];
      if (++index[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

template <typename T>
T ItemAt(absl::string_view bytes, size_t i) {
  T item;
  std::memcpy(&item, bytes.data() + i * sizeof(T), sizeof(T));
  return item;
}

// IEEE 754 binary16.
float HalfToFloat(uint16_t half) {
  int exponent = (half >> 10) & 0x1f;
  int fraction = half & 0x3ff;
  float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 0x1f) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <typename T, typename To>
void Convert(absl::string_view bytes, std::vector<To>& out) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<To>(ItemAt<T>(bytes, i));
}

}  // namespace

std::string NpyArray::dtype() const {
  absl::string_view kinds = kind == 'b'   ? "bool"
                            : kind == 'u' ? "uint"
                            : kind == 'i' ? "int"
                                          : "float";
  return kind == 'b' ? "bool" : absl::StrCat(kinds, 8 * item_size);
}

absl::StatusOr<std::vector<int64_t>> NpyArray::ToInt64() const {
  if (kind == 'f') {
    return Bad(name, absl::StrCat("its elements are ", dtype(), " where whole numbers are needed"),
               "Convert it with astype('int64').");
  }
  std::vector<int64_t> out(elements());
  bool is_signed = kind == 'i';
  switch (item_size) {
    case 1:
      is_signed ? Convert<int8_t>(bytes, out) : Convert<uint8_t>(bytes, out);
      break;
    case 2:
      is_signed ? Convert<int16_t>(bytes, out) : Convert<uint16_t>(bytes, out);
      break;
    case 4:
      is_signed ? Convert<int32_t>(bytes, out) : Convert<uint32_t>(bytes, out);
      break;
    default:
      Convert<int64_t>(bytes, out);
      if (!is_signed && std::any_of(out.begin(), out.end(), [](int64_t x) { return x < 0; })) {
        return Bad(name, "a number is above 2^63 - 1", "Use smaller numbers.");
      }
  }
  return out;
}

absl::StatusOr<std::vector<float>> NpyArray::ToFloat() const {
  if (kind != 'f') {
    return Bad(name, absl::StrCat("its elements are ", dtype(), " where float32 is needed"),
               "Convert it with astype('float32').");
  }
  std::vector<float> out(elements());
  if (item_size == 2) {
    for (size_t i = 0; i < out.size(); ++i) out[i] = HalfToFloat(ItemAt<uint16_t>(bytes, i));
  } else if (item_size == 4) {
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  } else {
    Convert<double>(bytes, out);
  }
  return out;
}

absl::StatusOr<NpyArray> ParseNpy(absl::string_view name, absl::string_view bytes) {
  ByteReader reader(bytes);
  absl::string_view magic, text;
  uint8_t major = 0, minor = 0;
  uint32_t header_size = 0;
  uint16_t short_size = 0;
  bool whole = reader.ReadBytes(kMagic.size(), &magic) && magic == kMagic &&
               reader.ReadLe(&major) && reader.ReadLe(&minor);
  if (!whole) return Bad(name, "it is no .npy array", kWriteAgain);
  if (major < 1 || major > 3 || minor != 0) {
    return Bad(name,
               absl::StrCat("it is of .npy version ", major, ".", minor, "; 1.0 to 3.0 are read"),
               kWriteAgain);
  }
  whole = major == 1 ? reader.ReadLe(&short_size) : reader.ReadLe(&header_size);
  if (major == 1) header_size = short_size;
  if (header_size > kMaxHeaderBytes) {
    return Bad(name,
               absl::StrCat("its header has ", header_size, " bytes; at most ", kMaxHeaderBytes,
                            " are read"),
               kWriteAgain);
  }
  if (!whole || !reader.ReadBytes(header_size, &text)) {
    return Bad(name, "it is truncated: it ends within its header", kWriteAgain);
  }
  std::optional<Header> header = HeaderParser(text).Parse();
  if (!header) return Bad(name, "its header can't be read", kWriteAgain);

  NpyArray array{.shape = header->shape, .name = std::string(name)};
  bool swap = false;
  RETURN_IF_ERROR(ReadType(name, header->descr, array, swap));
  std::optional<int64_t> size = array.item_size;
  for (int64_t dimension : array.shape) {
    if (size) size = CheckedProduct(*size, dimension);
  }
  if (!size || *size != static_cast<int64_t>(reader.left())) {
    return Bad(name,
               absl::StrCat("it is truncated or damaged: its header tells of ",
                            size ? absl::StrCat(*size) : "more than 2^63", " bytes of data, ",
                            reader.left(), " are there"),
               kWriteAgain);
  }
  absl::string_view data = bytes.substr(reader.offset());
  array.bytes = header->fortran_order && array.shape.size() > 1
                    ? FromFortranOrder(data, array.shape, array.item_size)
                    : std::string(data);
  if (swap) {
    for (size_t i = 0; i < array.bytes.size(); i += array.item_size) {
      std::reverse(array.bytes.begin() + i, array.bytes.begin() + i + array.item_size);
    }
  }
  return array;
}

}  // namespace mantissa::data
