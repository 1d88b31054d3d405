#include "server/engine/tile_operator.h"

#include <utility>

#include "base/status.h"
#include "server/engine/tile_operators.h"

namespace mantissa::engine {

bool IsOwned(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1 && tensor.is_contiguous();
}

std::vector<at::Tensor> TileOperator::Forward(const TileContext& context, TileInputs& inputs,
                                              Kept&) const {
  std::vector<at::Tensor> tensors;
  for (size_t i = 0; i < call_.tensors().size(); ++i) tensors.push_back(inputs.Read(i));
  return call_.Call(std::move(tensors), context.call);
}

std::unique_ptr<TileOperator> MakeTileOperator(planner::GradientKind kind,
                                               const OperatorCall& call) {
  using Kind = planner::GradientKind;
  switch (kind) {
    case Kind::kConvolution:
      return MakeConvolution(call);
    case Kind::kLinear:
      return MakeLinear(call);
    case Kind::kBatchNorm:
      return MakeBatchNorm(call);
    case Kind::kRelu:
      return MakeRelu(call);
    case Kind::kAdd:
      return MakeAdd(call);
    case Kind::kCat:
      return MakeCat(call);
    case Kind::kSlice:
      return MakeSlice(call);
    case Kind::kMaxPool:
      return MakeMaxPool(call);
    case Kind::kAveragePool:
      return MakeAveragePool(call);
    case Kind::kLogSoftmax:
      return MakeLogSoftmax(call);
    case Kind::kNllLoss:
      return MakeNllLoss(call);
    case Kind::kDropout:
      return MakeDropout(call);
    case Kind::kReplay:
      return MakeReplay(call);
    case Kind::kView:
      break;
  }
  MANTISSA_CHECK(false, "a view has no tiles");
  return nullptr;
}

}  // namespace mantissa::engine
