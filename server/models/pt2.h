// server/models/pt2.h
//
// Archives of torch.export (.pt2), which hold a model: its operators, sizes and weights.
//
//   ASSIGN_OR_RETURN(Archive archive, ReadPt2("resnet.pt2", limits));
//   AttachLoss(archive.graph, {.kind = LossKind::kCrossEntropy});
//   for (size_t i = 0; i < archive.parameters.size(); ++i) {
//     at::Tensor weight = ...;  // of archive.graph.parameters()[i]
//     RETURN_IF_ERROR(archive.Read(archive.parameters[i], AsBytes(weight)));
//   }
//
// A zip, read under limits, with the program in models/*.json and raw tensors in data/weights and
// data/constants: what torch.export.save writes since 2.9. What came before keeps its weights in a
// pickle, which can run any program: such archives are refused, and nothing else is unpickled
// (data/sample_inputs is left alone). Every byte of an archive is distrusted; errors say what is
// wrong, where, and what to do.
//
// Const access from many threads is safe.

#ifndef MANTISSA_SERVER_MODELS_PT2_H_
#define MANTISSA_SERVER_MODELS_PT2_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mapped_file.h"
#include "planner/graph/graph.h"
#include "server/data/zip.h"
#include "server/models/limits.h"
#include "server/models/stored_tensor.h"

namespace mantissa::models {

class Archive {
 public:
  // Without a loss.
  planner::Graph graph;
  // Of graph.parameters(), graph.buffers() and graph.constants(), in their order.
  std::vector<StoredTensor> parameters, buffers, constants;
  // In the state dict, but read by nothing: whoever gives it back passes them on.
  std::vector<StoredTensor> unused;
  // "2.11.0+cu130"; empty where the archive does not say.
  std::string torch_version;

  // The elements of one of the tensors above, in order, as `tensor.dtype`. REQUIRES: `out` has
  // exactly their bytes. InvalidArgument where they are damaged.
  absl::Status Read(const StoredTensor& tensor, absl::Span<char> out) const;

 private:
  friend absl::StatusOr<Archive> ReadPt2Bytes(absl::string_view, absl::string_view, const Limits&);
  friend absl::StatusOr<Archive> ReadPt2(const std::string&, const Limits&);
  Archive(planner::Graph graph, data::ZipArchive zip, const Limits& limits);

  data::ZipArchive zip_;
  Limits limits_;
  // What the zip's entries point into; null for ReadPt2Bytes.
  std::shared_ptr<const MappedFile> file_;
};

// The file must not change while the archive is in use. The graph is called after it.
absl::StatusOr<Archive> ReadPt2(const std::string& path, const Limits& limits);

// `bytes` must outlive the archive; `name` is for errors and the graph.
absl::StatusOr<Archive> ReadPt2Bytes(absl::string_view name, absl::string_view bytes,
                                     const Limits& limits);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_PT2_H_
