// The dispatching entry point picks AVX2 or AVX-512 at run time; plain XXH3_128bits in Debian's
// libxxhash is the SSE2 build, four times slower. It exists on x86-64 and in the shared library only.
#pragma once
#include <xxhash.h>
#if defined(__x86_64__) && !defined(VARVE_PLAIN_XXH3)
#include <xxh_x86dispatch.h>
#undef XXH3_128bits
static inline XXH128_hash_t varve_xxh3_128(const void *bytes, size_t count) {
    XXH128_hash_t digest = XXH3_128bits_dispatch(bytes, count);
    // Debian's AVX-512 code returns with the upper halves of the vector registers in use, which slows
    // down all SSE code that follows: SHA-256 by a quarter, of two messages at once by half (AMD
    // Zen 4). Up to 240 bytes XXH3 uses no vectors.
    if (count > 240 && __builtin_cpu_supports("avx")) __asm__ volatile("vzeroupper");
    return digest;
}
static inline void varve_xxh3_update(XXH3_state_t *state, const void *bytes, size_t count) {
    XXH3_128bits_update_dispatch(state, bytes, count);
}
#else
static inline XXH128_hash_t varve_xxh3_128(const void *bytes, size_t count) {
    return XXH3_128bits(bytes, count);
}
static inline void varve_xxh3_update(XXH3_state_t *state, const void *bytes, size_t count) {
    XXH3_128bits_update(state, bytes, count);
}
#endif
