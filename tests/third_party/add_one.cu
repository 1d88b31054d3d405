#include <cuda_runtime.h>

#include "tests/third_party/add_one.h"

namespace mantissa::tests {
namespace {

__global__ void AddOneKernel(float* values, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) values[i] += 1.0f;
}

}  // namespace

int AddOne(float* values, int count) {
  float* device = nullptr;
  cudaError_t error = cudaMalloc(&device, count * sizeof(float));
  if (error != cudaSuccess) return error;
  cudaMemcpy(device, values, count * sizeof(float), cudaMemcpyHostToDevice);
  AddOneKernel<<<(count + 255) / 256, 256>>>(device, count);
  error = cudaMemcpy(values, device, count * sizeof(float), cudaMemcpyDeviceToHost);
  cudaFree(device);
  return error;
}

}  // namespace mantissa::tests
