// planner/cost/convolution.h
//
// What LibTorch's convolutions need on the CPU beside what they read, results among it: oneDNN
// copies input, output and weight into layouts of its own and back. Those are as it chooses them
// with AVX-512 (ONEDNN_VERBOSE=1 prints them); where it is not used (small batches on one thread)
// less is needed.
//
//   const ConvolutionBytes bytes = ConvolutionBytesOf(graph, node, /*samples=*/32, /*wide=*/4);
//   int64_t most = bytes.Forward();
//
// Pure.

#ifndef MANTISSA_PLANNER_COST_CONVOLUTION_H_
#define MANTISSA_PLANNER_COST_CONVOLUTION_H_

#include <cstdint>

#include "planner/graph/graph.h"

namespace mantissa::planner {

struct ConvolutionBytes {
  int64_t input = 0, output = 0, weight = 0;
  // oneDNN's, in each of the three computations; 0 where it reads LibTorch's.
  struct Copies {
    int64_t input = 0, output = 0, weight = 0;
    int64_t total() const { return input + output + weight; }
  };
  Copies forward, input_gradient, weight_gradient;
  // What stands for the input where only its shape is wanted, where no other memory is large enough
  // (engine::TileInputs::ShapeOf): one element, shown everywhere, and what LibTorch makes of it.
  int64_t shape = 0;
  bool strided = false, depthwise = false;
  bool narrow = false;  // computed in 2 bytes, weights' gradients added up in 4

  // The most at one time, the result included.
  int64_t Forward() const;
  int64_t InputGradient() const;
  int64_t WeightGradient() const;
};

// For that many samples, in elements of `wide` bytes. REQUIRES: GradientKind::kConvolution.
ConvolutionBytes ConvolutionBytesOf(const Graph& graph, NodeId node, int64_t samples, int64_t wide);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_CONVOLUTION_H_
