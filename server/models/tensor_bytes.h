// server/models/tensor_bytes.h
//
// The elements of a stored tensor, in order and as the graph has them.
//
//   std::vector<float> weight(tensor.Elements());
//   RETURN_IF_ERROR(ReadTensor(zip, tensor, limits, AsBytes(weight)));

#ifndef MANTISSA_SERVER_MODELS_TENSOR_BYTES_H_
#define MANTISSA_SERVER_MODELS_TENSOR_BYTES_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/data/zip.h"
#include "server/models/limits.h"
#include "server/models/stored_tensor.h"

namespace mantissa::models {

// Fills `out` with the elements as `tensor.dtype`, without gaps. REQUIRES: `out` has exactly their
// bytes. InvalidArgument where the archive's entry is damaged.
absl::Status ReadTensor(const data::ZipArchive& zip, const StoredTensor& tensor,
                        const Limits& limits, absl::Span<char> out);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_TENSOR_BYTES_H_
