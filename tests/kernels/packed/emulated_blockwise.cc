#include "kernels/packed/blockwise.cu"
