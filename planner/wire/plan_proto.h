// planner/wire/plan_proto.h
//
// planner::Plan <-> mantissa.v1.Plan.
//
//   ASSIGN_OR_RETURN(v1::Plan plan, PlanFromRequest(request));   // server, CLI --local
//   ASSIGN_OR_RETURN(Plan rebuilt, PlanFromProto(task.plan()));  // worker
//
// `uploaded` is the graph of an uploaded model, without a loss; null for a built-in one.
//
// Pure, thread-safe. Errors carry fields relative to v1.PlanRequest: "model.width",
// "precision.low_ratio", "batch_size". FailedPrecondition says by how much a budget is missed.

#ifndef MANTISSA_PLANNER_WIRE_PLAN_PROTO_H_
#define MANTISSA_PLANNER_WIRE_PLAN_PROTO_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mantissa/v1/planner.pb.h"
#include "planner/plan.h"

namespace mantissa::planner {

using UploadedGraph = std::shared_ptr<const Graph>;

// The request with its defaults filled in, names and ranges checked as the protos document them.
// What depends on the model (width, classes, input shape, group ids, loss) is checked by planning.
absl::StatusOr<v1::PlanRequest> NormalizePlanRequest(const v1::PlanRequest& request,
                                                     const UploadedGraph& uploaded = nullptr);

// REQUIRES: NormalizePlanRequest returned `request`.
PlanRequest RequestOf(const v1::PlanRequest& request, const UploadedGraph& uploaded);

v1::TensorKind TensorKindToProto(TensorKind kind);

// Plans. NotFound for a model that is not there, InvalidArgument for what is out of range.
absl::StatusOr<v1::Plan> PlanFromRequest(const v1::PlanRequest& request,
                                         const UploadedGraph& uploaded = nullptr);

// As PlanFromRequest, with the reason for every tensor.
absl::StatusOr<v1::ExplainResponse> ExplainFromRequest(const v1::PlanRequest& request,
                                                       const UploadedGraph& uploaded = nullptr);

// `request` as NormalizePlanRequest returned it, `plan` as it was planned from it.
v1::Plan PlanToProto(const Plan& plan, const v1::PlanRequest& request);

// The plan behind a message: its graph made again from the ModelSpec, each tensor's format taken
// from the message by kind and name, and so is what is recomputed; cost, schedule and memory are
// made anew from these. FailedPrecondition if the message does not fit that graph: a tensor
// missing, unknown, twice, of another size or group, or in a format that can't be stored; bits that
// do not add up; an operator to recompute that is unknown, twice or can't be.
absl::StatusOr<Plan> PlanFromProto(const v1::Plan& message,
                                   const UploadedGraph& uploaded = nullptr);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_PLAN_PROTO_H_
