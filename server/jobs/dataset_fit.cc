#include "server/jobs/dataset_fit.h"

#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/status.h"
#include "base/utf8.h"
#include "server/jobs/errors.h"

namespace mantissa::jobs {
namespace {

using Sizes = std::vector<int64_t>;

std::string TypeText(v1::DataType type) {
  std::string name = v1::DataType_Name(type);
  return absl::AsciiStrToLower(absl::StripPrefix(name, "DATA_TYPE_"));
}

bool IsFloat(v1::DataType type) {
  return type == v1::DATA_TYPE_FLOAT32 || type == v1::DATA_TYPE_FLOAT64 ||
         type == v1::DATA_TYPE_FLOAT16 || type == v1::DATA_TYPE_BFLOAT16;
}

std::string TensorText(v1::DataType type, const Sizes& sizes) {
  return absl::StrCat(TypeText(type), " [", absl::StrJoin(sizes, ", "), "]");
}

Sizes SizesOf(const v1::SampleTensor& tensor) {
  return {tensor.shape().begin(), tensor.shape().end()};
}

// Sizes of one sample: the first dimension is the batch.
Sizes SampleSizesOf(const v1::TensorInfo& tensor) {
  Sizes sizes;
  for (int i = 1; i < tensor.shape_size(); ++i) sizes.push_back(tensor.shape(i).size());
  return sizes;
}

// `name` comes out of a file.
std::string Shown(absl::string_view name) {
  return absl::StrCat("`", EscapeControlCharacters(CutUtf8(name, 80)), "`");
}

absl::Status DoesNotFit(const v1::Dataset& dataset, absl::string_view has, absl::string_view takes,
                        absl::string_view remedy) {
  return Invalid("dataset", absl::StrCat("`", dataset.name(), "`, ", has), takes, remedy);
}

absl::Status CheckInput(const v1::Dataset& dataset, const v1::TensorInfo& takes,
                        const v1::SampleTensor& has) {
  const Sizes wanted = SampleSizesOf(takes), given = SizesOf(has);
  const bool batched =
      takes.shape_size() > 0 && takes.shape(0).times_batch() && takes.shape(0).size() == 1;
  if (!batched) {
    return DoesNotFit(dataset, absl::StrCat("a sample of which has ", Shown(has.name())),
                      absl::StrCat("none with a model whose input ", Shown(takes.name()),
                                   " does not start with the batch"),
                      "Export the model with a dynamic first dimension.");
  }
  if (wanted == given && IsFloat(takes.data_type()) == IsFloat(has.data_type())) {
    return absl::OkStatus();
  }
  return DoesNotFit(dataset,
                    absl::StrCat("whose ", Shown(has.name()), " is ",
                                 TensorText(has.data_type(), given), " a sample"),
                    absl::StrCat(TensorText(takes.data_type(), wanted), ", the model's input ",
                                 Shown(takes.name())),
                    "Use data of that shape and type, or export the model for these.");
}

// Labels: what the loss compares with for an output [N, C], [N, T, C] or [N, C, H, W].
absl::Status CheckLabels(const v1::TensorInfo& output, const v1::Dataset& dataset,
                         const v1::SampleTensor& target) {
  Sizes positions = SampleSizesOf(output);
  if (positions.empty() || positions.size() > 3) return absl::OkStatus();  // the planner refuses it
  const size_t at = positions.size() == 2 ? 1 : 0;
  const int64_t classes = positions[at];
  positions.erase(positions.begin() + static_cast<int64_t>(at));
  if (IsFloat(target.data_type()) || SizesOf(target) != positions) {
    return DoesNotFit(
        dataset,
        absl::StrCat("whose target is ", TensorText(target.data_type(), SizesOf(target)),
                     " a sample"),
        absl::StrCat("whole numbers [", absl::StrJoin(positions, ", "),
                     "] for an output whose classes are ", classes),
        "Use a loss that takes such targets, such as mse, or a data set with class numbers.");
  }
  if (target.classes() <= classes) return absl::OkStatus();
  return DoesNotFit(dataset, absl::StrCat("which has ", target.classes(), " classes"),
                    absl::StrCat("at most ", classes, ", the classes of the model's output"),
                    "Use a model with as many classes as the data set.");
}

absl::Status CheckValues(const v1::TensorInfo& output, const v1::Dataset& dataset,
                         const v1::SampleTensor& target) {
  if (IsFloat(target.data_type()) && SizesOf(target) == SampleSizesOf(output)) {
    return absl::OkStatus();
  }
  return DoesNotFit(dataset,
                    absl::StrCat("whose target is ",
                                 TensorText(target.data_type(), SizesOf(target)), " a sample"),
                    absl::StrCat(TensorText(v1::DATA_TYPE_FLOAT32, SampleSizesOf(output)),
                                 ", the model's output, with the losses mse and bce"),
                    "Use such targets, or another loss.");
}

v1::SampleTensor TargetOf(const v1::Dataset& dataset) {
  if (dataset.has_target()) return dataset.target();
  v1::SampleTensor target;
  target.set_name("y");
  target.set_data_type(v1::DATA_TYPE_INT64);
  target.set_classes(dataset.classes());
  return target;
}

}  // namespace

std::vector<v1::SampleTensor> InputsOf(const v1::Dataset& dataset) {
  if (dataset.inputs_size() > 0) return {dataset.inputs().begin(), dataset.inputs().end()};
  v1::SampleTensor image;
  image.set_name("x");
  image.set_data_type(v1::DATA_TYPE_FLOAT32);
  *image.mutable_shape() = dataset.sample_shape();
  return {image};
}

absl::Status CheckDatasetFits(const v1::Model& model, const v1::Dataset& dataset, v1::Loss loss) {
  const std::vector<v1::SampleTensor> inputs = InputsOf(dataset);
  if (static_cast<int>(inputs.size()) != model.inputs_size()) {
    return DoesNotFit(dataset, absl::StrCat("a sample of which has ", inputs.size(), " inputs"),
                      absl::StrCat(model.inputs_size(), ", which is what the model takes"),
                      "Name the arrays that are inputs when the data set is created.");
  }
  for (int i = 0; i < model.inputs_size(); ++i) {
    RETURN_IF_ERROR(CheckInput(dataset, model.inputs(i), inputs[i]));
  }
  const bool labels = loss == v1::LOSS_CROSS_ENTROPY || loss == v1::LOSS_NLL;
  if (model.outputs().empty()) return absl::OkStatus();
  return labels ? CheckLabels(model.outputs(0), dataset, TargetOf(dataset))
                : CheckValues(model.outputs(0), dataset, TargetOf(dataset));
}

}  // namespace mantissa::jobs
