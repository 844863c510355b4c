#pragma once

// Products of float32 values: an element of C is one chain of fused multiply-adds in the order of the depth, begun with what
// C holds or with zero. So its bits depend on its row of A and its column of B alone: not on the tile, the width of the
// vectors or the blocks that the depth is cut into, since storing and loading a partial sum changes nothing.

#include "packing.h"

#define KERNEL_AVX512 __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE_AVX512 static inline __attribute__((always_inline, target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")))

// Rows and columns of a tile of packed panels: what fits the registers.
enum {
    float32_tile_rows_avx2 = 6, float32_tile_columns_avx2 = 16,
    float32_tile_rows_avx512 = 14, float32_tile_columns_avx512 = 32,
    // Rows of a tile whose A lies in strides, each row with a pointer of its own.
    float32_strided_rows_avx2 = 6, float32_strided_rows_avx512 = 8
};

// Operands of a tile: element (row, step) of A lies at a[row * a_row + step * a_step], (step, column) of B at
// b[step * b_step + column], (row, column) of C at c[row * c_row + column]. B is read, and must exist, up to a multiple of 16
// columns; of C `columns` are written.
typedef struct {
    long depth;
    const float *a;
    long a_row, a_step;
    const float *b;
    long b_step;
    float *c;
    long c_row;
    int accumulate;
    // What a tile of panels fetches while it computes.
    panel_ahead ahead;
} float32_tile;

INLINE_AVX2 void float32_tile_avx2(const int rows, const int fetches, long columns, float32_tile t) {
    __m256 c[6][2];
    float edge[6 * 16];
    const int whole = columns >= 16;
    if (t.accumulate && !whole) {
        LOOP_UNROLLED
        for (int r = 0; r < rows; r++)
            for (long n = 0; n < columns; n++) edge[r * 16 + n] = t.c[r * t.c_row + n];
    }
    float *target = whole ? t.c : edge;
    const long stride = whole ? t.c_row : 16;
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        c[r][0] = t.accumulate ? _mm256_loadu_ps(target + r * stride) : _mm256_setzero_ps();
        c[r][1] = t.accumulate ? _mm256_loadu_ps(target + r * stride + 8) : _mm256_setzero_ps();
    }
    // The tile below comes next: its sums shall be near when it begins with them.
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) _mm_prefetch((const char *)(t.c + (rows + r) * t.c_row), _MM_HINT_T0);
    const float *a = t.a, *b = t.b;
    for (long step = 0; step < t.depth; step++) {
        if (fetches) PANEL_FETCH(t.ahead, step);
        const __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
        LOOP_UNROLLED
        for (int r = 0; r < rows; r++) {
            const __m256 value = _mm256_broadcast_ss(a + r * t.a_row);
            c[r][0] = _mm256_fmadd_ps(value, b0, c[r][0]);
            c[r][1] = _mm256_fmadd_ps(value, b1, c[r][1]);
        }
        a += t.a_step;
        b += t.b_step;
    }
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        _mm256_storeu_ps(target + r * stride, c[r][0]);
        _mm256_storeu_ps(target + r * stride + 8, c[r][1]);
    }
    if (!whole) {
        LOOP_UNROLLED
        for (int r = 0; r < rows; r++)
            for (long n = 0; n < columns; n++) t.c[r * t.c_row + n] = edge[r * 16 + n];
    }
}

INLINE_AVX512 void float32_tile_avx512(const int rows, const int vectors, const int fetches, long columns, float32_tile t) {
    __m512 c[14][2];
    const __mmask16 mask0 = columns >= 16 ? 0xffff : (__mmask16)((1u << columns) - 1);
    const __mmask16 mask1 = columns >= 32 ? 0xffff : columns <= 16 ? 0 : (__mmask16)((1u << (columns - 16)) - 1);
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        c[r][0] = t.accumulate ? _mm512_maskz_loadu_ps(mask0, t.c + r * t.c_row) : _mm512_setzero_ps();
        if (vectors > 1) c[r][1] = t.accumulate ? _mm512_maskz_loadu_ps(mask1, t.c + r * t.c_row + 16) : _mm512_setzero_ps();
    }
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        _mm_prefetch((const char *)(t.c + (rows + r) * t.c_row), _MM_HINT_T0);
        if (vectors > 1) _mm_prefetch((const char *)(t.c + (rows + r) * t.c_row + 16), _MM_HINT_T0);
    }
    const float *a = t.a, *b = t.b;
    for (long step = 0; step < t.depth; step++) {
        if (fetches) PANEL_FETCH(t.ahead, step);
        const __m512 b0 = _mm512_loadu_ps(b), b1 = vectors > 1 ? _mm512_loadu_ps(b + 16) : b0;
        LOOP_UNROLLED
        for (int r = 0; r < rows; r++) {
            const __m512 value = _mm512_set1_ps(a[r * t.a_row]);
            c[r][0] = _mm512_fmadd_ps(value, b0, c[r][0]);
            if (vectors > 1) c[r][1] = _mm512_fmadd_ps(value, b1, c[r][1]);
        }
        a += t.a_step;
        b += t.b_step;
    }
    LOOP_UNROLLED
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(t.c + r * t.c_row, mask0, c[r][0]);
        if (vectors > 1) _mm512_mask_storeu_ps(t.c + r * t.c_row + 16, mask1, c[r][1]);
    }
}

// C (+)= A·B with both operands in panels: A's of `tile rows`, B's of `tile columns` lanes.
#define TILE(HEIGHT) case HEIGHT: float32_tile_avx2(HEIGHT, 1, width, t); break;
KERNEL_AVX2 static inline void float32_panels_avx2(
    long rows, long columns, long depth, const float *a, const float *b, float *c, long c_row, int accumulate, panel_ahead ahead) {
    for (long column = 0; column < columns; column += 16) {
        for (long row = 0; row < rows; row += 6) {
            const float32_tile t = {
                depth, a + row * depth, 1, 6, b + column * depth, 16, c + row * c_row + column, c_row, accumulate,
                panel_ahead_take(&ahead, depth)};
            const long width = columns - column;
            switch (rows - row) {
                TILE(1) TILE(2) TILE(3) TILE(4) TILE(5)
            default: float32_tile_avx2(6, 1, width, t);
            }
        }
    }
}
#undef TILE

#define TILE(HEIGHT) case HEIGHT: float32_tile_avx512(HEIGHT, 2, 1, width, t); break;
KERNEL_AVX512 static inline void float32_panels_avx512(
    long rows, long columns, long depth, const float *a, const float *b, float *c, long c_row, int accumulate, panel_ahead ahead) {
    for (long column = 0; column < columns; column += 32) {
        for (long row = 0; row < rows; row += 14) {
            const float32_tile t = {
                depth, a + row * depth, 1, 14, b + column * depth, 32, c + row * c_row + column, c_row, accumulate,
                panel_ahead_take(&ahead, depth)};
            const long width = columns - column;
            switch (rows - row) {
                TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13)
            default: float32_tile_avx512(14, 2, 1, width, t);
            }
        }
    }
}
#undef TILE

// C (+)= A·B with operands where they lie; B as for a tile.
KERNEL_AVX2 static inline void float32_strided_avx2(long rows, long columns, float32_tile t) {
    for (long column = 0; column < columns; column += 16) {
        for (long row = 0; row < rows; row += 6) {
            float32_tile part = t;
            part.a += row * t.a_row;
            part.b += column;
            part.c += row * t.c_row + column;
            const long width = columns - column;
            switch (rows - row) {
            case 1: float32_tile_avx2(1, 0, width, part); break;
            case 2: float32_tile_avx2(2, 0, width, part); break;
            case 3: float32_tile_avx2(3, 0, width, part); break;
            case 4: float32_tile_avx2(4, 0, width, part); break;
            case 5: float32_tile_avx2(5, 0, width, part); break;
            default: float32_tile_avx2(6, 0, width, part);
            }
        }
    }
}

KERNEL_AVX512 static inline void float32_strided_avx512(long rows, long columns, float32_tile t) {
    for (long column = 0; column < columns; column += 32) {
        const long width = columns - column;
        for (long row = 0; row < rows;) {
            float32_tile part = t;
            part.a += row * t.a_row;
            part.b += column;
            part.c += row * t.c_row + column;
            const long height = rows - row;
            if (height >= 8) {
                if (width > 16) float32_tile_avx512(8, 2, 0, width, part);
                else float32_tile_avx512(8, 1, 0, width, part);
                row += 8;
            } else if (height >= 4) {
                if (width > 16) float32_tile_avx512(4, 2, 0, width, part);
                else float32_tile_avx512(4, 1, 0, width, part);
                row += 4;
            } else {
                if (width > 16) float32_tile_avx512(1, 2, 0, width, part);
                else float32_tile_avx512(1, 1, 0, width, part);
                row += 1;
            }
        }
    }
}
