#include "tests/gpu/machine.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "cuda_runtime.h"

namespace mantissa::kernels {
namespace {

std::vector<float> Numbers(int64_t bytes) {
  std::vector<float> numbers((bytes + 3) / 4);
  RandomStream random(/*seed=*/1, /*stream=*/0);
  for (float& number : numbers) number = static_cast<float>(4 * random.Uniform() - 2);
  return numbers;
}

class Cpu : public Machine {
 public:
  std::string name() const override { return "cpu"; }
  Device device() const override { return Device::Cpu(); }
  void* Allocate(int64_t bytes) override {
    memory_.push_back(Numbers(bytes));
    return memory_.back().data();
  }
  void Copy(void* to, const void* from, int64_t bytes) override { std::memcpy(to, from, bytes); }
  double Seconds(int runs, const std::function<void()>& work) override {
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < runs; ++i) {
      const absl::Duration start = RealClock().Monotonic();
      work();
      best = std::min(best, absl::ToDoubleSeconds(RealClock().Monotonic() - start));
    }
    return best;
  }

 private:
  std::vector<std::vector<float>> memory_;
};

void Check(cudaError_t error) { MANTISSA_CHECK(error == cudaSuccess, cudaGetErrorString(error)); }

class Cuda : public Machine {
 public:
  explicit Cuda(std::string name) : name_(std::move(name)) {
    Check(cudaStreamCreate(&stream_));
    Check(cudaEventCreate(&begin_));
    Check(cudaEventCreate(&end_));
  }
  ~Cuda() override {
    for (void* memory : memory_) Check(cudaFree(memory));
    Check(cudaEventDestroy(begin_));
    Check(cudaEventDestroy(end_));
    Check(cudaStreamDestroy(stream_));
  }
  std::string name() const override { return name_; }
  Device device() const override { return Device::Cuda(stream_); }
  void* Allocate(int64_t bytes) override {
    const std::vector<float> numbers = Numbers(bytes);
    void* memory = nullptr;
    Check(cudaMalloc(&memory, bytes));
    memory_.push_back(memory);
    Check(cudaMemcpy(memory, numbers.data(), bytes, cudaMemcpyHostToDevice));
    return memory;
  }
  void Copy(void* to, const void* from, int64_t bytes) override {
    Check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_));
  }
  double Seconds(int runs, const std::function<void()>& work) override {
    work();
    float best = std::numeric_limits<float>::infinity();
    for (int i = 0; i < runs; ++i) {
      Check(cudaEventRecord(begin_, stream_));
      work();
      Check(cudaEventRecord(end_, stream_));
      Check(cudaEventSynchronize(end_));
      float milliseconds = 0;
      Check(cudaEventElapsedTime(&milliseconds, begin_, end_));
      best = std::min(best, milliseconds);
    }
    return best / 1e3;
  }

 private:
  const std::string name_;
  cudaStream_t stream_;
  cudaEvent_t begin_, end_;
  std::vector<void*> memory_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Machine>> MakeMachine(bool cuda) {
  if (!cuda) return std::make_unique<Cpu>();
  cudaDeviceProp properties;
  const cudaError_t error = cudaGetDeviceProperties(&properties, 0);
  if (error != cudaSuccess) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no CUDA device: ", cudaGetErrorString(error), ". Use --cpu."));
  }
  return std::make_unique<Cuda>(properties.name);
}

}  // namespace mantissa::kernels
