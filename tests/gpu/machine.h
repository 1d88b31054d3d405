// What a bench of kernels needs of the place where it runs: memory, copies, a clock that knows when
// the work is done. Example:
//
//   std::unique_ptr<Machine> machine = MakeMachine(/*cuda=*/true);
//   void* x = machine->Allocate(bytes);
//   double seconds = machine->Seconds(10, [&] { machine->Copy(y, x, bytes); });
#ifndef MANTISSA_TESTS_GPU_MACHINE_H_
#define MANTISSA_TESTS_GPU_MACHINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {

class Machine {
 public:
  virtual ~Machine() = default;
  // "NVIDIA H100 80GB HBM3", or "cpu".
  virtual std::string name() const = 0;
  virtual Device device() const = 0;
  // Filled with float32 numbers between -2 and 2; lives as long as the machine.
  virtual void* Allocate(int64_t bytes) = 0;
  virtual void Copy(void* to, const void* from, int64_t bytes) = 0;
  // Of the fastest of `runs` runs.
  virtual double Seconds(int runs, const std::function<void()>& work) = 0;
};

// FailedPrecondition without a GPU.
absl::StatusOr<std::unique_ptr<Machine>> MakeMachine(bool cuda);

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_GPU_MACHINE_H_
