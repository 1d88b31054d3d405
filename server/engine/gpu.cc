#include "server/engine/gpu.h"

#include <dlfcn.h>

#include <cstdlib>

#include "ATen/Context.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "cuda_runtime.h"

namespace mantissa::engine {
namespace {

constexpr char kFolderVariable[] = "MANTISSA_LIBTORCH_CUDA";
constexpr char kLibrary[] = "libtorch_cuda.so";

absl::Status LoadLibtorchCuda() {
  const char* folder = std::getenv(kFolderVariable);
  const std::string path =
      folder == nullptr || *folder == '\0' ? kLibrary : absl::StrCat(folder, "/", kLibrary);
  // Global, since it registers itself with the libtorch_cpu.so that is loaded already.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return absl::OkStatus();
  const char* cause = dlerror();
  return absl::FailedPreconditionError(
      absl::StrCat("LibTorch's CUDA library cannot be loaded: ", cause, ". Set ", kFolderVariable,
                   " to the folder torch/lib of Python's torch 2.11, or train on the CPU."));
}

absl::Status OpenCuda() {
  // First the GPU, which is quickly asked for.
  RETURN_IF_ERROR(GetGpuInfo().status());
  // cuBLAS gives equal bits again only with a workspace of its own for each stream.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  RETURN_IF_ERROR(LoadLibtorchCuda());
  if (at::globalContext().hasCUDA()) {
    at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "LibTorch was loaded but finds no CUDA device. Check that the driver is as new as CUDA 13.");
}

}  // namespace

absl::StatusOr<c10::Device> OpenDevice(DeviceChoice choice) {
  const c10::Device cpu(c10::DeviceType::CPU), cuda(c10::DeviceType::CUDA, 0);
  if (choice == DeviceChoice::kCpu) return cpu;
  const absl::Status status = OpenCuda();
  if (status.ok()) return cuda;
  if (choice == DeviceChoice::kAuto) {
    if (GetGpuInfo().ok()) LogWarning("the GPU is not used: ", status.message());
    return cpu;
  }
  return status;
}

absl::StatusOr<GpuInfo> GetGpuInfo() {
  int device = 0;
  cudaDeviceProp properties;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, device);
  if (error != cudaSuccess) {
    return absl::FailedPreconditionError(absl::StrCat(
        "there is no CUDA device: ", cudaGetErrorString(error), ". Train on the CPU."));
  }
  return GpuInfo{.name = properties.name, .major = properties.major, .minor = properties.minor};
}

}  // namespace mantissa::engine
