#include "kernels/packed/pack_cpu.h"

#include <cstdint>
#include <cstring>

namespace mantissa::kernels {
namespace {

uint32_t LoadCode(const void* codes, int64_t i, int bytes) {
  uint32_t code = 0;
  std::memcpy(&code, static_cast<const uint8_t*>(codes) + i * bytes, static_cast<size_t>(bytes));
  return code;
}

void StoreCode(uint32_t code, void* codes, int64_t i, int bytes) {
  std::memcpy(static_cast<uint8_t*>(codes) + i * bytes, &code, static_cast<size_t>(bytes));
}

int64_t PlaceOf(const Piece& piece, int64_t i) {
  return piece.first + i / piece.length * piece.stride + i % piece.length;
}

template <Rounding kMode>
void PackRange(const PackParams& params, const Piece& piece, const void* wide, void* codes,
               int64_t begin, int64_t end, RoundCounts* counts) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t place = PlaceOf(piece, i);
    uint32_t random = 0;
    if constexpr (kMode == Rounding::kStochastic) {
      const uint64_t index = params.round.offset + static_cast<uint64_t>(place);
      random = RandomBlock(params.round.seed, index / 4).word[index % 4];
    }
    const uint32_t bits = UnpackBits(LoadCode(wide, i, params.element.bytes), params.element);
    StoreCode(PackBits<kMode>(bits, random, params.round, params.code, counts), codes, place,
              params.code.bytes);
  }
}

}  // namespace

void PackOnCpu(Rounding rounding, const PackParams& params, const Piece& piece, const void* wide,
               void* codes, int64_t begin, int64_t end, RoundCounts* counts) {
  switch (rounding) {
    case Rounding::kNearestEven:
      return PackRange<Rounding::kNearestEven>(params, piece, wide, codes, begin, end, counts);
    case Rounding::kNearestAway:
      return PackRange<Rounding::kNearestAway>(params, piece, wide, codes, begin, end, counts);
    case Rounding::kStochastic:
      return PackRange<Rounding::kStochastic>(params, piece, wide, codes, begin, end, counts);
    case Rounding::kReference:
      return PackRange<Rounding::kReference>(params, piece, wide, codes, begin, end, counts);
  }
}

void UnpackOnCpu(const UnpackParams& params, const Piece& piece, const void* codes, void* wide,
                 int64_t begin, int64_t end) {
  const int bytes = params.element.bytes;
  RoundCounts counts;
  for (int64_t i = begin; i < end; ++i) {
    uint32_t bits = UnpackBits(LoadCode(codes, PlaceOf(piece, i), params.code.bytes), params.code);
    if (params.add) {
      bits = BitsOf(FloatOf(UnpackBits(LoadCode(wide, i, bytes), params.element)) + FloatOf(bits));
    }
    if (bytes < 4) {
      bits =
          PackBits<Rounding::kNearestEven>(bits, 0, params.element_round, params.element, &counts);
    }
    StoreCode(bits, wide, i, bytes);
  }
}

}  // namespace mantissa::kernels
