#include "planner/explain/explain.h"

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/policies/registry.h"
#include "planner/policies/words.h"

namespace mantissa::planner {

std::vector<std::string> ExplainPlan(const Plan& plan) {
  const absl::StatusOr<std::unique_ptr<Policy>> policy =
      MakePolicy(plan.request.precision, PolicyContextOf(plan.request));
  MANTISSA_CHECK_OK(policy);
  std::vector<std::string> sentences =
      (*policy)->Explain(plan.graph, plan.tensors, plan.assignment, plan.request.batch_size);
  for (size_t i = 0; i < sentences.size(); ++i) {
    const Tensor& tensor = plan.tensors.tensors()[i];
    sentences[i] = absl::StrCat(
        "Group ", tensor.group, ", ", WithThousands(tensor.Elements(plan.request.batch_size)),
        " elements, ", plan.assignment.formats[i].name(), ": ", sentences[i]);
  }
  return sentences;
}

}  // namespace mantissa::planner
