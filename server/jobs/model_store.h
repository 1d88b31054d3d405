// server/jobs/model_store.h
//
// Uploaded models: names for blobs, with the graph that a worker read from them.
//
//   RETURN_IF_ERROR(store.Insert(model, graph));
//   ASSIGN_OR_RETURN(v1::Model model, store.Get("tiny-vit"));
//   ASSIGN_OR_RETURN(internal::v1::Graph graph, store.GraphOf("tiny-vit"));
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_MODEL_STORE_H_
#define MANTISSA_SERVER_JOBS_MODEL_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mantissa/internal/v1/graph.pb.h"
#include "mantissa/v1/model.pb.h"
#include "server/jobs/state_database.h"

namespace mantissa::jobs {

struct ModelPage {
  // Without inputs, outputs and shared tensors.
  std::vector<v1::Model> models;
  bool more = false;  // others come after them
};

// ALREADY_EXISTS unless `known` has that file.
absl::Status CheckSameFile(const v1::Model& known, absl::string_view sha256);

class ModelStore {
 public:
  explicit ModelStore(StateDatabase& state) : state_(state) {}

  // ALREADY_EXISTS if the name is taken by another file; OK, and nothing is changed, by the same.
  // FAILED_PRECONDITION if the blob has gone.
  absl::Status Insert(const v1::Model& model, const internal::v1::Graph& graph);
  absl::StatusOr<v1::Model> Get(absl::string_view name);
  absl::StatusOr<std::optional<v1::Model>> Find(absl::string_view name);
  absl::StatusOr<internal::v1::Graph> GraphOf(absl::string_view name);
  // By name, those after `after`: at most `limit`, and fewer where they are large.
  absl::StatusOr<ModelPage> List(absl::string_view after, int limit);
  // Returns the blob that it had. FAILED_PRECONDITION while a job that has not ended uses it.
  absl::StatusOr<std::string> Remove(absl::string_view name);

 private:
  StateDatabase& state_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_MODEL_STORE_H_
