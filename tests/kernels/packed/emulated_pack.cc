#include "kernels/packed/pack.cu"
