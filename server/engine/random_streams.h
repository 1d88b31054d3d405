// Which random numbers of a training's seed are whose: every purpose has streams of its own, so
// that none depends on how many numbers another took (base/random.h).
//
//   RandomStream shuffle(options.seed, ShuffleStream(epoch));
#ifndef MANTISSA_SERVER_ENGINE_RANDOM_STREAMS_H_
#define MANTISSA_SERVER_ENGINE_RANDOM_STREAMS_H_

#include <cstdint>

namespace mantissa::engine {

namespace random_streams_internal {
enum Purpose : uint64_t {
  kInitialWeights = 1,
  kShuffle,
  kAugment,
  kRounding,
  kMoments,
  kOperators,
  kMixUp
};
// 4 bits of purpose, 60 for what the purpose counts.
constexpr uint64_t Stream(Purpose purpose, uint64_t count) {
  return (uint64_t{purpose} << 60) | (count & ((uint64_t{1} << 60) - 1));
}
}  // namespace random_streams_internal

// Of the parameter with that index in the graph.
constexpr uint64_t InitialWeightsStream(int64_t parameter) {
  return random_streams_internal::Stream(random_streams_internal::kInitialWeights, parameter);
}

constexpr uint64_t ShuffleStream(int64_t epoch) {
  return random_streams_internal::Stream(random_streams_internal::kShuffle, epoch);
}

// Of one sample in one epoch. REQUIRES: sample < 2^36, epoch < 2^24.
constexpr uint64_t AugmentStream(int64_t epoch, int64_t sample) {
  return random_streams_internal::Stream(random_streams_internal::kAugment,
                                         (static_cast<uint64_t>(epoch) << 36) | sample);
}

// Of what is mixed into one sample in one epoch. REQUIRES: as AugmentStream().
constexpr uint64_t MixUpStream(int64_t epoch, int64_t sample) {
  return random_streams_internal::Stream(random_streams_internal::kMixUp,
                                         (static_cast<uint64_t>(epoch) << 36) | sample);
}

// Of one rounding site in one step. REQUIRES: site < 2^24, step < 2^36.
constexpr uint64_t StochasticRoundingStream(uint64_t site, int64_t step) {
  return random_streams_internal::Stream(random_streams_internal::kRounding,
                                         (site << 36) | static_cast<uint64_t>(step));
}

// Of one moment of a parameter in one step. REQUIRES: parameter < 2^20, number < 16, step < 2^36.
constexpr uint64_t MomentStream(uint64_t parameter, uint64_t number, int64_t step) {
  return random_streams_internal::Stream(
      random_streams_internal::kMoments,
      (((parameter << 4) | number) << 36) | static_cast<uint64_t>(step));
}

// Of one node in one step. REQUIRES: node < 2^24, step < 2^36.
constexpr uint64_t OperatorStream(int64_t node, int64_t step) {
  return random_streams_internal::Stream(
      random_streams_internal::kOperators,
      (static_cast<uint64_t>(node) << 36) | static_cast<uint64_t>(step));
}

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_RANDOM_STREAMS_H_
