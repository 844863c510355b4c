#pragma once

// Products of bfloat16 values by AVX512-BF16. An element of C is one chain of `vdpbf16ps` over the pairs of the depth: each
// adds the product of the odd elements, then that of the even ones, both fused, rounded to nearest, denormals as zeros
// (Intel's and AMD's manuals). The same chain of fused multiply-adds on widened operands gives the same bits: that is what
// panel_widened_swapped and float32.h do where the instruction is missing.

#include "float32.h"

#define KERNEL_BF16 __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define INLINE_BF16 \
    static inline __attribute__((always_inline, target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

// A [step][14 rows] and B [step][32 columns] as pairs.
INLINE_BF16 void bfloat16_tile(
    const int rows, long columns, long steps, const uint32_t *a, const uint32_t *b, float *c_start, long c_row, int accumulate,
    panel_ahead ahead) {
    __m512 c[14][2];
    const __mmask16 mask0 = columns >= 16 ? 0xffff : (__mmask16)((1u << columns) - 1);
    const __mmask16 mask1 = columns >= 32 ? 0xffff : columns <= 16 ? 0 : (__mmask16)((1u << (columns - 16)) - 1);
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        c[r][0] = accumulate ? _mm512_maskz_loadu_ps(mask0, c_start + r * c_row) : _mm512_setzero_ps();
        c[r][1] = accumulate ? _mm512_maskz_loadu_ps(mask1, c_start + r * c_row + 16) : _mm512_setzero_ps();
    }
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        _mm_prefetch((const char *)(c_start + (rows + r) * c_row), _MM_HINT_T0);
        _mm_prefetch((const char *)(c_start + (rows + r) * c_row + 16), _MM_HINT_T0);
    }
    for (long step = 0; step < steps; step++) {
        PANEL_FETCH(ahead, step);
        const __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 16);
        LOOP_UNROLLED
        for (int r = 0; r < rows; r++) {
            const __m512bh value = (__m512bh)_mm512_set1_epi32((int)a[r]);
            c[r][0] = _mm512_dpbf16_ps(c[r][0], value, b0);
            c[r][1] = _mm512_dpbf16_ps(c[r][1], value, b1);
        }
        a += 14;
        b += 32;
    }
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(c_start + r * c_row, mask0, c[r][0]);
        _mm512_mask_storeu_ps(c_start + r * c_row + 16, mask1, c[r][1]);
    }
}

// C (+)= A·B with both operands in panels of pairs; `steps` pairs deep.
KERNEL_BF16 static inline void bfloat16_panels_avx512(
    long rows, long columns, long steps, const uint32_t *a, const uint32_t *b, float *c, long c_row, int accumulate,
    panel_ahead ahead) {
    for (long column = 0; column < columns; column += 32) {
        const uint32_t *panel = b + column * steps;
        const long width = columns - column;
        for (long row = 0; row < rows; row += 14) {
            const uint32_t *lanes = a + row * steps;
            float *target = c + row * c_row + column;
            const panel_ahead part = panel_ahead_take(&ahead, steps);
#define TILE(HEIGHT) case HEIGHT: bfloat16_tile(HEIGHT, width, steps, lanes, panel, target, c_row, accumulate, part); break;
            switch (rows - row) {
                TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13)
            default: bfloat16_tile(14, width, steps, lanes, panel, target, c_row, accumulate, part);
            }
#undef TILE
        }
    }
}

// Denormals are zeros in every operation of the calling thread until `floating_point_restore`: what `vdpbf16ps` does of itself.
static inline uint32_t floating_point_flush_denormals(void) {
    const uint32_t before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
}

static inline void floating_point_restore(uint32_t state) { _mm_setcsr(state); }
