// client/cli/memory_text.h
//
// Memory of training steps as text for people.
//
//   PointText(memory.peak())                 // "backward of layer1.0.conv1"
//   KindTable(memory.peak().bytes())         // a line a kind, the total last
//   BaselineTable(peak, plan.baselines())    // the same training otherwise, and what this saves
//
// Facts and point texts are not made printable yet: tables and RenderFacts do that.

#ifndef MANTISSA_CLIENT_CLI_MEMORY_TEXT_H_
#define MANTISSA_CLIENT_CLI_MEMORY_TEXT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mantissa/v1/common.pb.h"
#include "mantissa/v1/job.pb.h"
#include "mantissa/v1/planner.pb.h"

namespace mantissa::cli {

using MemoryFacts = std::vector<std::pair<std::string, std::string>>;

// "forward of conv1", "update"; empty for a point that is not set.
std::string PointText(const v1::MemoryPoint& point);

// What memory is for, in the order of the tables, the total last.
struct MemoryRow {
  const char* name;
  int64_t (v1::MemoryBytes::*bytes)() const;
};
inline constexpr MemoryRow kMemoryRows[] = {
    {"masters", &v1::MemoryBytes::masters},
    {"weights", &v1::MemoryBytes::weights},
    {"activations", &v1::MemoryBytes::activations},
    {"gradients", &v1::MemoryBytes::gradients},
    {"optimizer", &v1::MemoryBytes::optimizer},
    {"workspace", &v1::MemoryBytes::workspace},
    {"total", &v1::MemoryBytes::total},
};

// KIND, BYTES, SHARE of each kind that is there, and the total.
std::string KindTable(const v1::MemoryBytes& bytes);

// AGAINST, PEAK, THIS TAKES, SAVED of each baseline; empty where there is none.
std::string BaselineTable(int64_t peak_bytes,
                          const google::protobuf::RepeatedPtrField<v1::MemoryBaseline>& baselines);

// Predicted peak, budget, saved for backward, what is recomputed.
MemoryFacts PlannedMemoryFacts(const v1::Plan& plan);

// Measured peak beside the predicted one and the budget, saved for backward.
MemoryFacts MeasuredMemoryFacts(const v1::JobMemory& memory);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_MEMORY_TEXT_H_
