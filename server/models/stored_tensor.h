// server/models/stored_tensor.h
//
// The tensors that an archive holds beside its graph: data/weights and data/constants.
//
//   ASSIGN_OR_RETURN(StoredTensors stored, ReadStoredTensors(zip, "archive/", "model", limits));
//   const StoredTensor& weight = stored.tensors[stored.weights.at("fc.weight")];
//
// Each is described by sizes, strides and an offset into an entry of raw little-endian bytes;
// several can share an entry. Names with the same place are one tensor (tied weights). All is
// checked against the entry's size here; tensor_bytes.h reads the bytes. Nothing is unpickled.

#ifndef MANTISSA_SERVER_MODELS_STORED_TENSOR_H_
#define MANTISSA_SERVER_MODELS_STORED_TENSOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"
#include "server/data/zip.h"
#include "server/models/layout.h"
#include "server/models/limits.h"

namespace mantissa::models {

struct StoredTensor {
  // All names that it has in the state dict, or among the constants.
  std::vector<std::string> names;
  // Elements as they are stored, and as ReadTensor gives them: float16, bfloat16 and float64 become
  // float32 where `dtype` says so.
  planner::DType stored_dtype = planner::DType::kFloat32;
  planner::DType dtype = planner::DType::kFloat32;
  // In the entry, in elements.
  Layout layout;
  // Elements before the first.
  int64_t offset = 0;
  bool requires_grad = false;
  // Index into ZipArchive::entries().
  size_t entry = 0;

  const std::string& name() const { return names[0]; }
  int64_t Elements() const;
};

struct StoredTensors {
  // In the order of the archive.
  std::vector<StoredTensor> tensors;
  // Indices into `tensors` by name.
  absl::flat_hash_map<std::string, size_t> weights, constants;
};

// `root` is the folder of the archive with its "/", `model` the name of its model.
// InvalidArgument names the tensor and what is wrong with it.
absl::StatusOr<StoredTensors> ReadStoredTensors(const data::ZipArchive& zip, absl::string_view root,
                                                absl::string_view model, const Limits& limits);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_STORED_TENSOR_H_
