// The CUDA body on the machine's GPU, where there is one.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {
namespace {

constexpr size_t kMargin = 32;
constexpr float kUntouched = -12345.0f;

// Device memory that is freed with it.
class Buffer {
 public:
  explicit Buffer(size_t bytes) { error_ = cudaMalloc(&data_, bytes); }
  ~Buffer() { cudaFree(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void CopyFrom(const void* host, size_t bytes) {
    if (error_ == cudaSuccess) error_ = cudaMemcpy(data_, host, bytes, cudaMemcpyHostToDevice);
  }
  void CopyTo(void* host, size_t bytes) {
    if (error_ == cudaSuccess) error_ = cudaMemcpy(host, data_, bytes, cudaMemcpyDeviceToHost);
  }
  template <typename T>
  T* as() {
    return static_cast<T*>(data_);
  }
  cudaError_t error() const { return error_; }

 private:
  void* data_ = nullptr;
  cudaError_t error_;
};

bool MarginsUntouched(const std::vector<float>& floats, size_t offset, size_t n) {
  const auto untouched = [](float x) { return x == kUntouched; };
  return std::all_of(floats.begin(), floats.begin() + offset, untouched) &&
         std::all_of(floats.begin() + offset + n, floats.end(), untouched);
}

}  // namespace

std::string WhyNoDevice() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return cudaGetErrorString(error);
  return count == 0 ? "this machine has no GPU" : "";
}

double DeviceEffort() { return 1; }

absl::StatusOr<Rounded> RoundOnDevice(const RoundSpec& spec, const std::vector<float>& in,
                                      const Placement& placement) {
  const size_t n = in.size();
  const size_t out_offset = placement.in_place ? placement.in_offset : placement.out_offset;
  std::vector<float> source(placement.in_offset + n + kMargin, kUntouched);
  std::copy(in.begin(), in.end(), source.begin() + placement.in_offset);
  std::vector<float> target(out_offset + n + kMargin, kUntouched);
  Rounded rounded;
  Buffer in_buffer(source.size() * sizeof(float)), out_buffer(target.size() * sizeof(float));
  Buffer counts(sizeof(RoundCounts));
  in_buffer.CopyFrom(source.data(), source.size() * sizeof(float));
  out_buffer.CopyFrom(target.data(), target.size() * sizeof(float));
  counts.CopyFrom(&rounded.counts, sizeof(RoundCounts));

  Buffer& out = placement.in_place ? in_buffer : out_buffer;
  const absl::Status status =
      Round(Device::Cuda(nullptr), spec, {in_buffer.as<float>() + placement.in_offset, n},
            absl::MakeSpan(out.as<float>() + out_offset, n), counts.as<RoundCounts>());
  if (!status.ok()) return status;
  out.CopyTo(target.data(), target.size() * sizeof(float));
  counts.CopyTo(&rounded.counts, sizeof(RoundCounts));
  for (const cudaError_t error : {in_buffer.error(), out_buffer.error(), counts.error()}) {
    if (error != cudaSuccess) return absl::InternalError(cudaGetErrorString(error));
  }
  if (!MarginsUntouched(target, out_offset, n)) {
    return absl::InternalError("Round() wrote outside its output");
  }
  rounded.values.assign(target.begin() + out_offset, target.begin() + out_offset + n);
  return rounded;
}

}  // namespace mantissa::kernels
