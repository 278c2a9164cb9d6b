// Finds bytes in blocks: Swift has no name for the instruction that gathers the results of a vector
// comparison as bits. Any processor of x86-64 has it (SSE2); others count byte by byte.
#pragma once
#include <stdint.h>

#if defined(__x86_64__)
#include <emmintrin.h>

// Bit i is set where byte i of 16 is one of two.
static inline uint32_t varve_match_16(const uint8_t *bytes, uint8_t one, uint8_t other) {
    __m128i block = _mm_loadu_si128((const __m128i *)bytes);
    __m128i ones = _mm_cmpeq_epi8(block, _mm_set1_epi8((char)one));
    __m128i others = _mm_cmpeq_epi8(block, _mm_set1_epi8((char)other));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(ones, others));
}
#else
static inline uint32_t varve_match_16(const uint8_t *bytes, uint8_t one, uint8_t other) {
    uint32_t matches = 0;
    for (int i = 0; i < 16; i++) {
        matches |= (uint32_t)(bytes[i] == one || bytes[i] == other) << i;
    }
    return matches;
}
#endif

// The same for 32 and 64 bytes.
static inline uint32_t varve_match_32(const uint8_t *bytes, uint8_t one, uint8_t other) {
    return varve_match_16(bytes, one, other) | varve_match_16(bytes + 16, one, other) << 16;
}
static inline uint64_t varve_match_64(const uint8_t *bytes, uint8_t one, uint8_t other) {
    return (uint64_t)varve_match_32(bytes, one, other)
        | (uint64_t)varve_match_32(bytes + 32, one, other) << 32;
}
