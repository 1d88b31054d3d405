// server/engine/model_check.h
//
// Whether LibTorch can run and differentiate an uploaded model, found out before it is accepted.
//
//   RETURN_IF_ERROR(CheckModel(archive));
//
// Every operator is looked up, then a batch of two random samples goes through the graph in fp32 on
// the CPU, as in training. What each node makes is held against the sizes and types that the graph
// says, and where a gradient flows the node is differentiated.
//
// LibTorch is behind this header, not in it. Runs what an untrusted archive says: in the worker
// only.

#ifndef MANTISSA_SERVER_ENGINE_MODEL_CHECK_H_
#define MANTISSA_SERVER_ENGINE_MODEL_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "server/models/pt2.h"

namespace mantissa::engine {

struct ModelCheckOptions {
  // Most bytes that all values may have together at a batch of two.
  int64_t max_bytes = int64_t{8} << 30;
};

// InvalidArgument names the operators that LibTorch does not have, or the first node that can't be
// run or differentiated or makes something else, and why; ResourceExhausted says how large the
// values are, or that memory ran out.
absl::Status CheckModel(const models::Archive& archive, const ModelCheckOptions& options = {});

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MODEL_CHECK_H_
