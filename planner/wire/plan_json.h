// planner/wire/plan_json.h
//
// A plan as one JSON object, the same in `mantissa plan -o json` and in plan.json. Its fields are
// promised: they are only ever added to.
//
//   std::cout << PlanToJson(plan, /*with_tensors=*/false).dump(2);
//
//   {"model": "builtin:resnet18", "width": 1.0, "classes": 10, "input_shape": [3, 32, 32],
//    "batch_size": 128, "policy": "demotion", "low_ratio": 0.5, "recipe": "paper",
//    "storage": "packed", "recompute": "auto", "optimizer": "sgd", "optimizer_state": "fp32",
//    "loss": "cross-entropy", "label_smoothing": 0.0, "ignore_index": -100, "freeze": [],
//    "accumulate_batches": 1, "clip_norm": 0.0, "ema_decay": 0.0, "total_elements": 543364500,
//    "groups": [{"id": 0, "elements": 789888, "low": false}, ...], "ratio_low_groups": 0.52,
//    "ratio_low_bits": 0.51, "bits": 6450000000, "bits_high": 8693832000, "bits_fp32": 17387664000,
//    "memory": {"peak_bytes": 335544320, "saved_for_backward_bytes": 201326592,
//               "peak": {"phase": "backward", "operator": "layer1.0.conv1",
//                        "bytes": {"masters": 44700000, ..., "total": 335544320}}},
//    "baselines": [{"name": "fp32", "peak_bytes": 746586112}, ...], "recomputed": [],
//    "tensors": [{"name": "conv1", "kind": "v", "group": 1, "elements": 8388608,
//                 "format": "fp(4,3,4)"}, ...],
//    "timeline": [{"phase": "forward", "operator": "conv1", "bytes": {...}}, ...]}
//
// Numbers are JSON numbers; all integers are below 2^53, so that doubles hold them exactly. `seed`
// is there with policy random, a string as in proto JSON since it may be larger; `low_ratio` with
// the policies that have one, unless a budget, `memory_bytes`, chooses it; kinds are v, theta, dv,
// dtheta; phases forward, recompute, backward, update (with an empty operator); `recomputed` names
// the operators whose outputs are computed again instead of kept.

#ifndef MANTISSA_PLANNER_WIRE_PLAN_JSON_H_
#define MANTISSA_PLANNER_WIRE_PLAN_JSON_H_

#include <string>

#include "mantissa/v1/planner.pb.h"
#include "nlohmann/json_fwd.hpp"

namespace mantissa::planner {

// `tensors` and `timeline` are left out unless asked for.
nlohmann::ordered_json PlanToJson(const v1::Plan& plan, bool with_tensors);

// What a plan has as `memory`, without the timeline.
nlohmann::ordered_json StepMemoryToJson(const v1::StepMemory& memory);

// v, theta, dv, dtheta: how people and JSON call a kind.
std::string TensorKindText(v1::TensorKind kind);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_PLAN_JSON_H_
