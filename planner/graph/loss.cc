#include "planner/graph/loss.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace mantissa::planner {
namespace {

// One of torch's reductions: at::Reduction::Mean.
constexpr int64_t kReductionMean = 1;

std::string Text(const Shape& shape) {
  return absl::StrCat("[",
                      absl::StrJoin(shape, ", ",
                                    [](std::string* out, const Dim& dim) {
                                      if (!dim.times_batch || dim.factor > 1)
                                        absl::StrAppend(out, dim.factor);
                                      if (dim.times_batch)
                                        absl::StrAppend(out, dim.factor > 1 ? "*N" : "N");
                                    }),
                      "]");
}

class LossBuilder {
 public:
  LossBuilder(Graph& graph, const LossOptions& options)
      : graph_(graph), options_(options), output_(graph.value(graph.output())) {}

  absl::Status Attach() {
    RETURN_IF_ERROR(Check());
    if (HasLabels(options_.kind)) {
      AttachLabels();
    } else {
      AttachValues();
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Check() const {
    // Written so that NaN fails too.
    if (!(options_.label_smoothing >= 0 && options_.label_smoothing < 1)) {
      return InvalidField("label_smoothing", absl::StrCat(options_.label_smoothing),
                          "0.0 to below 1.0", "Use 0 for none, 0.1 for the usual amount.");
    }
    if (options_.label_smoothing > 0 && options_.kind != LossKind::kCrossEntropy) {
      return InvalidField("label_smoothing", absl::StrCat(options_.label_smoothing),
                          "0 with any loss but cross-entropy", "Leave it out.");
    }
    for (const Node& node : graph_.nodes()) {
      if (!absl::StartsWith(node.name, "criterion.")) continue;
      return InvalidField("model", absl::StrCat("a model with an operator ", node.name),
                          "names that do not begin with \"criterion.\", which is the loss",
                          "Rename the module.");
    }
    const Shape& shape = output_.shape;
    const std::string given = absl::StrCat("over an output ", Text(shape));
    if (output_.dtype != DType::kFloat32 || shape.empty() || !shape[0].times_batch) {
      return InvalidField("loss", given, "float32 outputs whose first dimension is the batch",
                          "Let the model return its logits, or what is compared, first.");
    }
    if (HasLabels(options_.kind) &&
        (shape.size() < 2 || shape.size() > 4 || shape[ClassDimension(graph_)].times_batch)) {
      return InvalidField("loss", given,
                          "outputs [N, classes], [N, T, classes] or [N, classes, H, W]",
                          "Use mse or bce for other shapes.");
    }
    return absl::OkStatus();
  }

  ValueId View(const std::string& name, ValueId value, Shape shape) {
    // One dimension is the batch's, so it is what is left.
    std::vector<int64_t> sizes = {-1};
    for (size_t i = 1; i < shape.size(); ++i) sizes.push_back(shape[i].factor);
    return graph_.AddNode({.name = name,
                           .op = "aten::view",
                           .args = {{"self", ValueRef{value}}, {"size", std::move(sizes)}}},
                          graph_.value(value).dtype, std::move(shape), value);
  }

  ValueId LogProbabilities() {
    if (options_.kind == LossKind::kNll) return graph_.output();
    const int64_t dim = ClassDimension(graph_);
    return graph_.AddNode(
        {.name = "criterion.logsoftmax",
         .op = "aten::log_softmax",
         .overload = "int",
         .args = {{"self", ValueRef{graph_.output()}}, {"dim", dim}, {"dtype", {}}}},
        output_.dtype, output_.shape);
  }

  void AttachLabels() {
    const int classes = ClassDimension(graph_);
    Shape labels = output_.shape;
    labels.erase(labels.begin() + classes);
    ValueId target = graph_.AddTarget("target", DType::kInt64, labels);
    ValueId log_probabilities = LogProbabilities();
    if (classes == 2) {
      const Dim positions = Dim::Batch(labels[0].factor * labels[1].factor);
      log_probabilities =
          View("criterion.positions", log_probabilities, {positions, output_.shape[classes]});
      target = View("criterion.labels", target, {positions});
    }
    Node loss{.name = "criterion.nllloss",
              .args = {{"self", ValueRef{log_probabilities}}, {"target", ValueRef{target}}}};
    if (options_.label_smoothing > 0) {
      loss.op = "mantissa::smoothed_nll_loss";
      loss.args[0].name = "log_probabilities";
      loss.args.push_back({"smoothing", options_.label_smoothing});
    } else {
      loss.op = output_.shape.size() == 4 ? "aten::nll_loss2d" : "aten::nll_loss";
      loss.args.push_back({"weight", {}});
      loss.args.push_back({"reduction", kReductionMean});
    }
    loss.args.push_back({"ignore_index", options_.ignore_index});
    Finish(std::move(loss));
  }

  void AttachValues() {
    const ValueId target = graph_.AddTarget("target", DType::kFloat32, output_.shape);
    const bool mse = options_.kind == LossKind::kMse;
    Finish({.name = mse ? "criterion.mseloss" : "criterion.bceloss",
            .op = mse ? "aten::mse_loss" : "aten::binary_cross_entropy_with_logits",
            .args = {{"self", ValueRef{graph_.output()}},
                     {"target", ValueRef{target}},
                     {"reduction", kReductionMean}}});
  }

  void Finish(Node loss) {
    graph_.SetLoss(graph_.AddNode(std::move(loss), output_.dtype, {output_.shape[0]}));
  }

  Graph& graph_;
  const LossOptions& options_;
  const Value output_;
};

}  // namespace

int ClassDimension(const Graph& graph) {
  return graph.value(graph.output()).shape.size() == 3 ? 2 : 1;
}

absl::Status AttachLoss(Graph& graph, const LossOptions& options) {
  return LossBuilder(graph, options).Attach();
}

}  // namespace mantissa::planner
