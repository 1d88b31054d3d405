// How one operator of a graph is run on one tile, forward and backward, with LibTorch's own kernels
// on wide tensors. Where tiles come from and go to is graph_runner.h's.
//
//   auto op = MakeTileOperator(planner::GradientKind::kConvolution, call);
//   std::vector<at::Tensor> y = op->Forward(context, inputs, kept);
//   op->Backward(context, inputs, kept, [&](size_t input, at::Tensor gradient) { ... });
//
// What an operator keeps from forward to backward is small: a bit or a byte an element, a number a
// channel. Runs without autograd, but for operators that are replayed. Throws what LibTorch throws.
#ifndef MANTISSA_SERVER_ENGINE_TILE_OPERATOR_H_
#define MANTISSA_SERVER_ENGINE_TILE_OPERATOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "planner/graph/gradient.h"
#include "server/engine/operator_call.h"
#include "server/engine/packed_tensor.h"

namespace mantissa::engine {

// Of whole tensors, made by the first tile of the forward task.
using Kept = std::vector<at::Tensor>;

struct TileContext {
  Tile tile;
  CallContext call;
  // The forward pass of a training step: keeps what backward needs, and moves running statistics.
  bool keep = false;
};

// What a tile is computed from, unpacked when asked for. `input` counts the operator's tensor
// arguments. Activations come as tiles; parameters, buffers and labels whole.
class TileInputs {
 public:
  virtual ~TileInputs() = default;
  // Contiguous, in the type that the operator computes with. May show memory that others read: see
  // IsOwned().
  virtual at::Tensor Read(size_t input) = 0;
  // All of it, whatever the tile.
  virtual at::Tensor ReadWhole(size_t input) = 0;
  // The operator will not read a parameter again in this tile, so its wide copy may go.
  virtual void Forget(size_t input) = 0;
  // wide += Read(input), without a wide copy of it.
  virtual void AddTo(size_t input, const at::Tensor& wide) = 0;
  // Of Read(input), and its type, also of what is no longer alive.
  virtual std::vector<int64_t> Sizes(size_t input) = 0;
  virtual at::ScalarType Type(size_t input) = 0;
  // Stands for an input of which LibTorch wants only the shape, in the type of `like`. Shows the
  // memory of `like` or of the parameter itself where one is large enough, so that LibTorch has
  // nothing to make contiguous; its entries mean nothing.
  virtual at::Tensor ShapeOf(size_t input, const at::Tensor& like) = 0;

  // Backward only. Whether the rule has the input among what it reads, so that Read() is allowed;
  // the rounded output; the sum of what reached an output's gradient, undefined
  // where nothing did; whether the gradient of an input is asked for.
  virtual bool IsRead(size_t input) = 0;
  virtual at::Tensor ReadOutput() = 0;
  virtual at::Tensor ReadGradient(size_t output) = 0;
  virtual bool Wanted(size_t input) = 0;
};

// Takes the gradient of an input of a tile. An undefined one is none.
using GiveGradient = std::function<void(size_t input, at::Tensor gradient)>;

// Whether nothing but `tensor` shows its memory, so that it may be changed.
bool IsOwned(const at::Tensor& tensor);

class TileOperator {
 public:
  explicit TileOperator(const OperatorCall& call) : call_(call) {}
  virtual ~TileOperator() = default;

  // The operator's outputs. By default its call.
  virtual std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                          Kept& kept) const;
  // Gives the gradient of each input that is wanted, at most once, as soon as it is made.
  // Parameters' are of this tile alone: a sum over its samples, or the entries of its channels.
  virtual void Backward(const TileContext& context, TileInputs& inputs, const Kept& kept,
                        const GiveGradient& give) const = 0;

 protected:
  const OperatorCall& call() const { return call_; }

 private:
  const OperatorCall& call_;
};

// `call` must outlive it. REQUIRES: a kind that planner::GradientRuleOf gave for the call's node,
// but kView.
std::unique_ptr<TileOperator> MakeTileOperator(planner::GradientKind kind,
                                               const OperatorCall& call);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_TILE_OPERATOR_H_
