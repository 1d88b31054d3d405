// server/rpc/planning.h
//
// planner/wire with the models that were uploaded: what the jobs, PlannerService and ModelService
// plan with.
//
//   WirePlanner planner(models);
//   jobs::JobDesk desk({.planner = planner, ...});
//
// Thread-safe.
#ifndef MANTISSA_SERVER_RPC_PLANNING_H_
#define MANTISSA_SERVER_RPC_PLANNING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mantissa/v1/model.pb.h"
#include "mantissa/v1/planner.pb.h"
#include "planner/graph/graph.h"
#include "server/jobs/job_planner.h"
#include "server/jobs/model_store.h"

namespace mantissa::rpc {

class WirePlanner : public jobs::JobPlanner {
 public:
  explicit WirePlanner(jobs::ModelStore& models) : models_(models) {}

  absl::StatusOr<v1::Plan> MakePlan(const v1::PlanRequest& request) override;
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::PlanRequest& request);
  // Errors carry fields of the request.
  absl::StatusOr<v1::GetModelResponse> Describe(const v1::GetModelRequest& request);

 private:
  // For a built-in model no graph.
  struct Uploaded {
    v1::Model model;
    std::shared_ptr<const planner::Graph> graph;
  };
  // Fills in the hash of an uploaded model. `field` is what the request calls the spec.
  absl::StatusOr<Uploaded> Find(v1::ModelSpec& spec, absl::string_view field);

  jobs::ModelStore& models_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PLANNING_H_
