#include "kernels/packed/mask.cu"
