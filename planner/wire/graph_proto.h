// planner/wire/graph_proto.h
//
// planner::Graph <-> mantissa.internal.v1.Graph: a model's graph on its way from the worker that
// read its file to the server that plans with it.
//
//   *report.mutable_graph() = GraphToProto(graph);              // worker
//   ASSIGN_OR_RETURN(Graph graph, GraphFromProto(message));     // server
//
// The worker has read a file that nobody vouches for, so a message is believed in nothing: after
// reading, ids are in range, values are made before they are read, names are there, unique and
// UTF-8, and sizes stay within 64 bits at every batch size. Pure, thread-safe.

#ifndef MANTISSA_PLANNER_WIRE_GRAPH_PROTO_H_
#define MANTISSA_PLANNER_WIRE_GRAPH_PROTO_H_

#include "absl/status/statusor.h"
#include "mantissa/internal/v1/graph.pb.h"
#include "mantissa/v1/common.pb.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

v1::DataType DataTypeToProto(DType dtype);

// REQUIRES: no loss is attached.
internal::v1::Graph GraphToProto(const Graph& graph);

// InvalidArgument names what is wrong in it.
absl::StatusOr<Graph> GraphFromProto(const internal::v1::Graph& message);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_GRAPH_PROTO_H_
