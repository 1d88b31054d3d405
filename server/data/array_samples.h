// server/data/array_samples.h
//
// From arrays of images and labels to samples, whatever file the arrays came from.
//
//   RETURN_IF_ERROR(AddSamples(images, labels, budget, dataset, dataset.train));
//
// Images are uint8 or floating point, [N, H, W], [N, C, H, W] or [N, H, W, C]; the last where the
// last dimension is 1 or 3 and the second is not. Labels are whole numbers, [N] or [N, 1].

#ifndef MANTISSA_SERVER_DATA_ARRAY_SAMPLES_H_
#define MANTISSA_SERVER_DATA_ARRAY_SAMPLES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "server/data/dataset.h"
#include "server/data/npy.h"
#include "server/data/source.h"

namespace mantissa::data {

// Most classes of a data set.
inline constexpr int64_t kMaxClasses = 1000000;

// Fills `samples`, and the shape of `dataset` where it has none yet. InvalidArgument where types,
// shapes or counts do not fit, a label is out of range, or a pixel is not finite. REQUIRES:
// `samples` is empty.
absl::Status AddSamples(const NpyArray& images, const NpyArray& labels, Budget& budget,
                        LoadedDataset& dataset, Samples& samples);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_ARRAY_SAMPLES_H_
