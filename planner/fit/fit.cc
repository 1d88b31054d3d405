#include "planner/fit/fit.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "planner/policies/assign.h"

namespace mantissa::planner {
namespace {

constexpr size_t kMostBlocks = 256;

// The first `count` of `order` low.
Assignment Prefix(const FitRequest& request, const std::vector<int>& order, size_t count) {
  std::vector<bool> low(order.size(), false);
  for (size_t i = 0; i < count; ++i) low[order[i]] = true;
  Assignment assignment = AssignGroups(request.tensors, std::move(low));
  assignment.formats = InRecipe(std::move(assignment.formats), request.high);
  return assignment;
}

// As few low groups as fit; all where that is not enough. One after the other: one more can need
// more, where an operator that computed with its values as they are stored has to unpack them. Of
// many, whole blocks until one fits.
Assignment FewestLow(const FitRequest& request, const std::vector<int>& order,
                     const MemoryModel& model) {
  const auto fits = [&](const Assignment& assignment) {
    return model.PeakBytes(assignment.formats) <= request.memory_bytes;
  };
  const size_t block = order.size() / kMostBlocks + 1;
  size_t count = 0;
  while (block > 1 && count + block < order.size() &&
         !fits(Prefix(request, order, count + block))) {
    count += block;
  }
  for (; count < order.size(); ++count) {
    Assignment assignment = Prefix(request, order, count);
    if (fits(assignment)) return assignment;
  }
  return Prefix(request, order, order.size());
}

int64_t PeakOf(const FitRequest& request, const Fitted& fitted) {
  const Schedule schedule =
      MakeSchedule(request.graph, request.tensors, {.recompute = fitted.recompute});
  return MemoryModel(request.graph, request.tensors, schedule, request.batch_size, request.memory)
      .PeakBytes(fitted.assignment.formats);
}

RecomputeSearch SearchFor(const FitRequest& request, const Assignment& assignment) {
  return RecomputeSearch(request.graph, request.tensors, assignment.formats, request.batch_size,
                         request.memory);
}

// With a policy that has an order.
Fitted FitInOrder(const FitRequest& request, const std::vector<int>& order) {
  Fitted fitted{.in_order = true};
  if (request.recompute == Recompute::kCheap) {
    const Assignment all_low = Prefix(request, order, order.size());
    fitted.recompute = SearchFor(request, all_low).LowestPeak();
  }
  const Schedule schedule =
      MakeSchedule(request.graph, request.tensors, {.recompute = fitted.recompute});
  fitted.assignment = FewestLow(
      request, order,
      MemoryModel(request.graph, request.tensors, schedule, request.batch_size, request.memory));
  return fitted;
}

}  // namespace

std::vector<kernels::Format> InRecipe(std::vector<kernels::Format> formats,
                                      const kernels::Format& high) {
  std::replace(formats.begin(), formats.end(), kernels::kHigh, high);
  return formats;
}

absl::StatusOr<Fitted> Fit(const FitRequest& request) {
  Fitted fitted;
  std::vector<int> order;
  if (request.memory_bytes > 0) {
    order = request.policy.GroupOrder(request.graph, request.tensors, request.batch_size);
  }
  if (!order.empty()) {
    fitted = FitInOrder(request, order);
  } else {
    ASSIGN_OR_RETURN(fitted.assignment,
                     request.policy.Assign(request.graph, request.tensors, request.batch_size));
    fitted.assignment.formats = InRecipe(std::move(fitted.assignment.formats), request.high);
    if (request.recompute == Recompute::kCheap) {
      fitted.recompute = SearchFor(request, fitted.assignment).LowestPeak();
    }
  }
  fitted.peak_bytes = PeakOf(request, fitted);
  const bool too_much = request.memory_bytes > 0 && fitted.peak_bytes > request.memory_bytes;
  if (too_much && request.recompute == Recompute::kAuto) {
    fitted.recompute = SearchFor(request, fitted.assignment).FewestThatFit(request.memory_bytes);
    fitted.peak_bytes = PeakOf(request, fitted);
  }
  return fitted;
}

}  // namespace mantissa::planner
