#include "tests/server/models/archive_builder.h"

#include <zlib.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa::models {
namespace {

constexpr uint32_t kIn64 = 0xffffffff;

void Put(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::string Deflate(const std::string& content) {
  z_stream stream = {};
  MANTISSA_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  MANTISSA_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// What the local header and the central record have in common.
struct Header {
  const ZipItem& item;
  std::string data;
  uint32_t crc = 0;
  uint64_t size = 0;

  explicit Header(const ZipItem& i) : item(i), data(i.deflated ? Deflate(i.content) : i.content) {
    crc = item.claimed_crc.value_or(
        static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(item.content.data()),
                                    static_cast<uInt>(item.content.size()))));
    size = item.claimed_size.value_or(static_cast<uint32_t>(item.content.size()));
  }

  std::string Extra() const {
    std::string extra;
    if (!item.zip64) return extra;
    Put(extra, 1, 2), Put(extra, 16, 2), Put(extra, size, 8), Put(extra, data.size(), 8);
    return extra;
  }

  void PutCommon(std::string& out) const {
    Put(out, item.zip64 ? 45 : 20, 2), Put(out, item.flags, 2), Put(out, item.deflated ? 8 : 0, 2);
    Put(out, 0, 4), Put(out, crc, 4);
    Put(out, item.zip64 ? kIn64 : data.size(), 4), Put(out, item.zip64 ? kIn64 : size, 4);
    Put(out, item.name.size(), 2), Put(out, Extra().size(), 2);
  }
};

std::string Meta(absl::string_view sizes, absl::string_view strides) {
  return absl::StrCat(
      "{\"dtype\": 7, \"sizes\": [", sizes,
      "], \"requires_grad\": true, \"device\": {\"type\": \"cpu\", \"index\": null}, "
      "\"strides\": [",
      strides, "], \"storage_offset\": {\"as_int\": 0}, \"layout\": 7}");
}

constexpr char kBatch[] =
    "{\"as_expr\": {\"expr_str\": \"Symbol('s0', positive=True, integer=True)\", "
    "\"hint\": {\"as_int\": 2}}}";

std::string Program() {
  const std::string x =
      Meta(absl::StrCat(kBatch, R"(, {"as_int": 4})"), R"({"as_int": 4}, {"as_int": 1})");
  const std::string y =
      Meta(absl::StrCat(kBatch, R"(, {"as_int": 3})"), R"({"as_int": 3}, {"as_int": 1})");
  const std::string weight =
      Meta(R"({"as_int": 3}, {"as_int": 4})", R"({"as_int": 4}, {"as_int": 1})");
  const std::string bias = Meta(R"({"as_int": 3})", R"({"as_int": 1})");
  return absl::StrCat(
      R"({"schema_version": {"major": 8, "minor": 17}, "torch_version": "2.11.0", "graph_module": {
"graph": {"inputs": [{"as_tensor": {"name": "p_w"}}, {"as_tensor": {"name": "p_b"}},
  {"as_tensor": {"name": "x"}}],
"outputs": [{"as_tensor": {"name": "relu_"}}],
"nodes": [
 {"target": "torch.ops.aten.linear.default", "inputs": [
   {"name": "input", "arg": {"as_tensor": {"name": "x"}}, "kind": 1},
   {"name": "weight", "arg": {"as_tensor": {"name": "p_w"}}, "kind": 1},
   {"name": "bias", "arg": {"as_tensor": {"name": "p_b"}}, "kind": 1}],
  "outputs": [{"as_tensor": {"name": "linear"}}],
  "metadata": {"nn_module_stack": "L__self__,,M;L__self___fc,fc,torch.nn.modules.linear.Linear"}},
 {"target": "torch.ops.aten.relu_.default", "inputs": [
   {"name": "self", "arg": {"as_tensor": {"name": "linear"}}, "kind": 1}],
  "outputs": [{"as_tensor": {"name": "relu_"}}], "metadata": {}}],
"tensor_values": {"p_w": )",
      weight, R"(, "p_b": )", bias, R"(, "x": )", x, R"(, "linear": )", y, R"(, "relu_": )", y,
      R"(}, "sym_int_values": {}, "sym_bool_values": {}},
"signature": {"input_specs": [
  {"parameter": {"arg": {"name": "p_w"}, "parameter_name": "fc.weight"}},
  {"parameter": {"arg": {"name": "p_b"}, "parameter_name": "fc.bias"}},
  {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
 "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "relu_"}}}}]},
"module_call_graph": []}})");
}

std::string Payload(absl::string_view path, absl::string_view meta) {
  return absl::StrCat("{\"path_name\": \"", path,
                      "\", \"is_param\": true, \"use_pickle\": false, \"tensor_meta\": ", meta,
                      "}");
}

std::string Floats(int count, float step) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    const float value = static_cast<float>(i) * step;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return bytes;
}

}  // namespace

std::string MakeZip(const std::vector<ZipItem>& items) {
  std::string out, directory;
  size_t offset = 0;
  for (const ZipItem& item : items) {
    const Header header(item);
    if (!item.shares_data) {
      offset = out.size();
      Put(out, 0x04034b50, 4);
      header.PutCommon(out);
      absl::StrAppend(&out, item.name, header.Extra(), header.data);
    }
    Put(directory, 0x02014b50, 4), Put(directory, 0x0300 | 45, 2);
    header.PutCommon(directory);
    Put(directory, 0, 2), Put(directory, 0, 2), Put(directory, 0, 2);
    Put(directory, item.mode << 16, 4), Put(directory, offset, 4);
    absl::StrAppend(&directory, item.name, header.Extra());
  }
  const size_t at = out.size();
  out += directory;
  Put(out, 0x06054b50, 4), Put(out, 0, 4), Put(out, items.size(), 2), Put(out, items.size(), 2);
  Put(out, directory.size(), 4), Put(out, at, 4), Put(out, 0, 2);
  return out;
}

ModelFiles::ModelFiles()
    : program(Program()),
      weights_config(absl::StrCat(
          R"({"config": {"fc.weight": )",
          Payload("weight_0",
                  Meta(R"({"as_int": 3}, {"as_int": 4})", R"({"as_int": 4}, {"as_int": 1})")),
          R"(, "fc.bias": )", Payload("weight_1", Meta(R"({"as_int": 3})", R"({"as_int": 1})")),
          "}}")),
      constants_config(R"({"config": {}})"),
      weight(Floats(12, 1)),
      bias(Floats(3, -1)) {}

std::vector<ZipItem> ItemsOf(const ModelFiles& files) {
  return {{"archive/data/weights/weight_0", files.weight},
          {"archive/data/weights/weight_1", files.bias},
          {"archive/data/weights/model_weights_config.json", files.weights_config},
          {"archive/data/constants/model_constants_config.json", files.constants_config},
          {"archive/models/model.json", files.program},
          {"archive/byteorder", "little"}};
}

std::string MakeArchive(const ModelFiles& files) { return MakeZip(ItemsOf(files)); }

void Replace(std::string& text, absl::string_view from, absl::string_view to) {
  const size_t at = text.find(std::string(from));
  MANTISSA_CHECK(at != std::string::npos, from);
  text.replace(at, from.size(), std::string(to));
}

}  // namespace mantissa::models
