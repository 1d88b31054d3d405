// The loss scale: what the loss is multiplied with before the backward pass, so that gradients fit
// their formats.
//
//   LossScaler scaler({.scale = 65536, .dynamic = true, .growth_interval = steps_per_epoch});
//   ... a step with scaler.scale() ...
//   scaler.Update(/*skipped=*/gradients_not_finite);
//   if (scaler.diverged()) return Aborted(...);
//
// Dynamic: halves at a skipped step and doubles after `growth_interval` good steps in a row; the
// count restarts at a skip and at a doubling. Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_LOSS_SCALER_H_
#define MANTISSA_SERVER_ENGINE_LOSS_SCALER_H_

#include <cstdint>

namespace mantissa::engine {

class LossScaler {
 public:
  struct Options {
    // Above 0.
    double scale = 65536;
    bool dynamic = true;
    // Good steps before the scale doubles; the paper takes the steps of an epoch.
    int64_t growth_interval = 1;
  };
  // What a checkpoint keeps.
  struct State {
    double scale = 0;
    int64_t good_steps = 0;  // in a row, since the last change of the scale
    int64_t skips_in_row = 0;
  };

  // Below it, gradients of fp(5,2,0) no longer overflow because of the scale.
  static constexpr double kFloor = 0x1p-14;
  // Of a scale that does not adapt, before the training counts as diverged.
  static constexpr int64_t kMaxSkipsInRow = 32;

  explicit LossScaler(const Options& options) : options_(options), state_{.scale = options.scale} {}

  double scale() const { return state_.scale; }

  void Update(bool skipped) {
    state_.skips_in_row = skipped ? state_.skips_in_row + 1 : 0;
    if (!options_.dynamic) return;
    if (skipped) {
      state_.scale /= 2;
      state_.good_steps = 0;
    } else if (++state_.good_steps == options_.growth_interval) {
      state_.scale *= 2;
      state_.good_steps = 0;
    }
  }

  // The scale fell below its floor, or does not adapt and every one of the last steps was skipped:
  // going on would change nothing.
  bool diverged() const {
    return options_.dynamic ? state_.scale < kFloor : state_.skips_in_row >= kMaxSkipsInRow;
  }

  const State& state() const { return state_; }
  void Restore(const State& state) { state_ = state; }

 private:
  Options options_;
  State state_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_LOSS_SCALER_H_
