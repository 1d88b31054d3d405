// Adds 1 to `count` floats on the first GPU. Returns a cudaError_t.
#pragma once

namespace mantissa::tests {

int AddOne(float* values, int count);

}  // namespace mantissa::tests
