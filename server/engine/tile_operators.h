// The operators behind MakeTileOperator(), a maker a kind. They are grouped in files by what they
// do: products, elements, windows, the loss, dropout, and the one that replays anything.
//
//   std::unique_ptr<TileOperator> op = MakeConvolution(call);
#ifndef MANTISSA_SERVER_ENGINE_TILE_OPERATORS_H_
#define MANTISSA_SERVER_ENGINE_TILE_OPERATORS_H_

#include <memory>

#include "server/engine/tile_operator.h"

namespace mantissa::engine {

using TileOperatorPtr = std::unique_ptr<TileOperator>;

// tile_products.cc
TileOperatorPtr MakeConvolution(const OperatorCall& call);
TileOperatorPtr MakeLinear(const OperatorCall& call);

// tile_elements.cc
TileOperatorPtr MakeRelu(const OperatorCall& call);
TileOperatorPtr MakeAdd(const OperatorCall& call);
TileOperatorPtr MakeCat(const OperatorCall& call);
TileOperatorPtr MakeSlice(const OperatorCall& call);
TileOperatorPtr MakeBatchNorm(const OperatorCall& call);

// tile_pools.cc
TileOperatorPtr MakeMaxPool(const OperatorCall& call);
TileOperatorPtr MakeAveragePool(const OperatorCall& call);

// tile_loss.cc
TileOperatorPtr MakeLogSoftmax(const OperatorCall& call);
TileOperatorPtr MakeNllLoss(const OperatorCall& call);

// tile_random.cc
TileOperatorPtr MakeDropout(const OperatorCall& call);

// tile_replay.cc
TileOperatorPtr MakeReplay(const OperatorCall& call);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_TILE_OPERATORS_H_
