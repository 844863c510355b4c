#pragma once

#include <stdint.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

// What the numeric code was compiled to use, and what this processor has, as the same bits. The first function sees
// the compiler's target through its macros, so it answers for the Swift module that calls it.

enum {
    processor_fma = 1, processor_avx2 = 2, processor_avx512 = 4, processor_avx512_bf16 = 8, processor_f16c = 16,
    processor_amx_bf16 = 32
};

static inline uint32_t processor_required(void) {
    uint32_t features = 0;
#ifdef __FMA__
    features |= processor_fma;
#endif
#ifdef __AVX2__
    features |= processor_avx2;
#endif
#ifdef __F16C__
    features |= processor_f16c;
#endif
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    features |= processor_avx512;
#endif
#ifdef __AVX512BF16__
    features |= processor_avx512_bf16;
#endif
    return features;
}

static inline uint32_t processor_present(void) {
    uint32_t features = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("fma")) features |= processor_fma;
    if (__builtin_cpu_supports("avx2")) features |= processor_avx2;
    if (__builtin_cpu_supports("f16c")) features |= processor_f16c;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl"))
        features |= processor_avx512;
    if (__builtin_cpu_supports("avx512bf16")) features |= processor_avx512_bf16;
    // Leaf 7: bit 22 of EDX is AMX-BF16, bit 24 AMX-TILE.
    unsigned a, b, c, d;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & 1u << 22) && (d & 1u << 24) && (features & processor_avx512))
        features |= processor_amx_bf16;
#else
    features = processor_required();
#endif
    return features;
}
