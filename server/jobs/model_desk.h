// server/jobs/model_desk.h
//
// What clients do with uploaded models.
//
//   desk.Create(request, [](absl::StatusOr<v1::Model> model) { ... });
//   RETURN_IF_ERROR(desk.Delete("tiny-vit"));
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_MODEL_DESK_H_
#define MANTISSA_SERVER_JOBS_MODEL_DESK_H_

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "mantissa/v1/model.pb.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/inspections.h"
#include "server/jobs/model_store.h"

namespace mantissa::jobs {

class ModelDesk {
 public:
  using Done = std::function<void(absl::StatusOr<v1::Model>)>;

  ModelDesk(ModelStore& store, BlobStore& blobs, Inspections& inspections, Clock& clock)
      : store_(store), blobs_(blobs), inspections_(inspections), clock_(clock) {}

  // As ModelService.CreateModel says. `done` is called once, now or on another thread.
  void Create(const v1::CreateModelRequest& request, Done done);

  // The blob goes with it if nothing else has it.
  absl::Status Delete(absl::string_view name);

 private:
  // The known model if it is the same, nullopt if there is none and it can be made.
  absl::StatusOr<std::optional<v1::Model>> CheckNew(const v1::CreateModelRequest& request);
  absl::StatusOr<v1::Model> Keep(const v1::CreateModelRequest& request,
                                 const internal::v1::InspectedModel& found);

  ModelStore& store_;
  BlobStore& blobs_;
  Inspections& inspections_;
  Clock& clock_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_MODEL_DESK_H_
