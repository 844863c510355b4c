#pragma once

// Copies a block of a matrix into panels: the order in which the kernels read it. Only AVX2 is needed, whatever
// multiplies afterwards.
//
// A panel holds `width` rows (or columns) side by side, one word of 32 bits for each of them at every step of the depth:
// word [step][lane]. A word is a float, or two bfloat16 values that are neighbours in depth, the earlier one in the lower
// half. Lanes and steps beyond the matrix are zeros.

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define KERNEL_AVX2 __attribute__((target("avx2,fma,f16c")))
#define INLINE_AVX2 static inline __attribute__((always_inline, target("avx2,fma,f16c")))

// Before a short loop over registers: only when it is unrolled whole do they stay registers.
#define LOOP_UNROLLED _Pragma("clang loop unroll(full)")

// What a stored element becomes in a panel.
typedef enum {
    panel_float,           // float -> float
    panel_widened,         // bfloat16 -> float
    panel_widened_half,    // IEEE half -> float
    panel_widened_swapped, // bfloat16 -> float, the two of a pair in turn: the odd one first
    panel_pairs            // bfloat16 -> pairs
} panel_kind;

// Bytes of a stored element.
static inline long panel_stored_bytes(panel_kind kind) { return kind == panel_float ? 4 : 2; }

// Eight words from eight steps of one row.
INLINE_AVX2 __m256i panel_words_along(panel_kind kind, const void *row) {
    const __m128i *half = (const __m128i *)row;
    switch (kind) {
    case panel_float:
    case panel_pairs: return _mm256_loadu_si256((const __m256i *)row);
    case panel_widened: return _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(half)), 16);
    case panel_widened_half: return _mm256_castps_si256(_mm256_cvtph_ps(_mm_loadu_si128(half)));
    case panel_widened_swapped: {
        const __m128i pairs = _mm_loadu_si128(half);
        const __m128i swapped = _mm_or_si128(_mm_slli_epi32(pairs, 16), _mm_srli_epi32(pairs, 16));
        return _mm256_slli_epi32(_mm256_cvtepu16_epi32(swapped), 16);
    }
    }
    return _mm256_setzero_si256();
}

INLINE_AVX2 void panel_transpose_8x8(__m256i w[8]) {
    __m256i t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(w[i], w[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(w[i], w[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        w[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        w[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

// The first `lanes` of eight words.
INLINE_AVX2 void panel_store(uint32_t *out, __m256i words, long lanes) {
    if (lanes >= 8) return _mm256_storeu_si256((__m256i *)out, words);
    __m128i half = _mm256_castsi256_si128(words);
    if (lanes & 4) {
        _mm_storeu_si128((__m128i *)out, half);
        half = _mm256_extracti128_si256(words, 1);
        out += 4;
    }
    if (lanes & 2) {
        _mm_storel_epi64((__m128i *)out, half);
        half = _mm_unpackhi_epi64(half, half);
        out += 2;
    }
    if (lanes & 1) *out = (uint32_t)_mm_cvtsi128_si32(half);
}

// Eight words of one row that may end before them, or of none.
INLINE_AVX2 __m256i panel_last_words_along(panel_kind kind, const uint8_t *row, long bytes) {
    uint8_t tail[32] = {0};
    if (bytes > 0) memcpy(tail, row, bytes < 32 ? bytes : 32);
    return panel_words_along(kind, tail);
}

// One panel of `width` lanes from `rows` <= width matrix rows that lie along the depth, `stride` bytes apart.
INLINE_AVX2 void panel_from_rows(
    panel_kind kind, const uint8_t *source, long stride, long rows, long depth, long steps, long width, uint32_t *panel) {
    const long bytes = kind == panel_pairs ? 4 : panel_stored_bytes(kind), total = depth * panel_stored_bytes(kind);
    for (long step = 0; step < steps; step += 8) {
        const long count = steps - step < 8 ? steps - step : 8, left = total - step * bytes;
        for (long lane = 0; lane < width; lane += 8) {
            const uint8_t *start = source + lane * stride + step * bytes;
            __m256i w[8];
            if (left >= 8 * bytes && lane + 8 <= rows) {
                LOOP_UNROLLED
                for (int i = 0; i < 8; i++) w[i] = panel_words_along(kind, start + i * stride);
                // Many rows side by side are more than the processor foresees.
                LOOP_UNROLLED
                for (int i = 0; i < 8; i++) _mm_prefetch((const char *)start + i * stride + 256, _MM_HINT_T0);
            } else {
                for (int i = 0; i < 8; i++)
                    w[i] = panel_last_words_along(kind, start + i * stride, lane + i < rows ? left : 0);
            }
            panel_transpose_8x8(w);
            uint32_t *out = panel + step * width + lane;
            for (long k = 0; k < count; k++) panel_store(out + k * width, w[k], width - lane);
        }
    }
}

// Eight words at one step from rows that lie across the depth: `row` holds the step's elements, `next` those of the step
// after it, where a word is a pair.
INLINE_AVX2 __m256i panel_words_across(panel_kind kind, const void *row, const void *next) {
    if (kind != panel_pairs) {
        if (kind == panel_widened_swapped) kind = panel_widened;
        return panel_words_along(kind, row);
    }
    const __m256i low = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)row));
    const __m256i high = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)next));
    return _mm256_or_si256(low, _mm256_slli_epi32(high, 16));
}

// Panels of `width` lanes, a multiple of 8, from `columns` columns of a matrix whose `depth` rows lie `stride` bytes apart.
// Step by step, so that a matrix row is read in one go.
INLINE_AVX2 void panels_from_columns(
    panel_kind kind, const uint8_t *source, long stride, long columns, long depth, long steps, long width, uint32_t *panels) {
    static const uint8_t zeros[16];
    const long bytes = panel_stored_bytes(kind), whole = columns / 8 * 8;
    const long padded = (columns + width - 1) / width * width;
    for (long step = 0; step < steps; step++) {
        const long first = kind == panel_pairs ? 2 * step : kind == panel_widened_swapped ? step ^ 1 : step;
        const uint8_t *row = first < depth ? source + first * stride : NULL;
        const uint8_t *next = kind == panel_pairs && first + 1 < depth ? source + (first + 1) * stride : NULL;
        // A matrix row lies in a page of its own, so the processor does not foresee the next one.
        if (first + 8 < depth) {
            for (long byte = 0; byte < columns * bytes; byte += 64) _mm_prefetch((const char *)source + (first + 8) * stride + byte, _MM_HINT_T0);
        }
        uint32_t *out = panels + step * width;
        for (long lane = 0; lane < padded; lane += width, out += steps * width) {
            for (long part = 0; part < width; part += 8) {
                const long column = lane + part;
                __m256i words;
                if (column < whole && row) {
                    words = panel_words_across(kind, row + column * bytes, next ? next + column * bytes : zeros);
                } else {
                    uint8_t tails[2][32] = {{0}};
                    const long left = column < columns ? (columns - column < 8 ? columns - column : 8) : 0;
                    if (row && left) memcpy(tails[0], row + column * bytes, left * bytes);
                    if (next && left) memcpy(tails[1], next + column * bytes, left * bytes);
                    words = panel_words_across(kind, tails[0], tails[1]);
                }
                _mm256_storeu_si256((__m256i *)(out + part), words);
            }
        }
    }
}

// The panels of a block, one behind the other: of its rows (lying along the depth), or of its columns (across it).
//
//   source  the block's first element
//   stride  bytes from one matrix row to the next
//   lanes   rows or columns of the block
//   steps   of a panel: at least what `depth` elements take; the rest are zeros
//   width   lanes of a panel: a multiple of 8 for columns
//   panels  steps * width words for every `width` lanes begun
#define DEFINE_PANELS(KIND)                                                                                                   \
    KERNEL_AVX2 static inline void pack_rows_##KIND(                                                                          \
        const void *source, long stride, long lanes, long depth, long steps, long width, uint32_t *panels) {                  \
        for (long lane = 0; lane < lanes; lane += width) {                                                                    \
            const long count = lanes - lane < width ? lanes - lane : width;                                                   \
            panel_from_rows(                                                                                                  \
                panel_##KIND, (const uint8_t *)source + lane * stride, stride, count, depth, steps, width, panels + lane * steps);\
        }                                                                                                                     \
    }                                                                                                                         \
    KERNEL_AVX2 static inline void pack_columns_##KIND(                                                                       \
        const void *source, long stride, long lanes, long depth, long steps, long width, uint32_t *panels) {                  \
        panels_from_columns(panel_##KIND, (const uint8_t *)source, stride, lanes, depth, steps, width, panels);               \
    }
DEFINE_PANELS(float)
DEFINE_PANELS(widened)
DEFINE_PANELS(widened_half)
DEFINE_PANELS(widened_swapped)
DEFINE_PANELS(pairs)

// Matrix rows (or the parts of them in a block) that are packed next: a product fetches them while it computes, so that packing
// finds them in the cache.
typedef struct {
    // NULL: nothing is packed next.
    const char *start;
    // Bytes from one matrix row to the next.
    long stride;
    long rows;
    // Of the number of cache lines in a row's part.
    int lines_log2;
} panel_ahead;

// `rows` parts of `bytes` bytes each, of which the largest power of two of cache lines is fetched.
static inline panel_ahead panel_ahead_of(const void *start, long stride, long rows, long bytes) {
    if (bytes < 64) return (panel_ahead){0};
    return (panel_ahead){(const char *)start, stride, rows, 63 - __builtin_clzl((unsigned long)bytes / 64)};
}

// What a tile of so many steps, each of which fetches a line, takes of `ahead`.
static inline panel_ahead panel_ahead_take(panel_ahead *ahead, long steps) {
    const panel_ahead part = *ahead;
    const long rows = steps >> part.lines_log2;
    if (!part.start || rows > part.rows || rows == 0) return (panel_ahead){0};
    ahead->start += rows * part.stride;
    ahead->rows -= rows;
    return part;
}

// Fetches the line of one step.
#define PANEL_FETCH(ahead, step)                                                                                              \
    if ((ahead).start)                                                                                                        \
    _mm_prefetch((ahead).start + ((step) >> (ahead).lines_log2) * (ahead).stride + ((step) & ((1l << (ahead).lines_log2) - 1)) * 64, \
                 _MM_HINT_T1)

static inline void pack_rows(
    panel_kind kind, const void *source, long stride, long lanes, long depth, long steps, long width, uint32_t *panels) {
    switch (kind) {
    case panel_float: return pack_rows_float(source, stride, lanes, depth, steps, width, panels);
    case panel_widened: return pack_rows_widened(source, stride, lanes, depth, steps, width, panels);
    case panel_widened_half: return pack_rows_widened_half(source, stride, lanes, depth, steps, width, panels);
    case panel_widened_swapped: return pack_rows_widened_swapped(source, stride, lanes, depth, steps, width, panels);
    case panel_pairs: return pack_rows_pairs(source, stride, lanes, depth, steps, width, panels);
    }
}

static inline void pack_columns(
    panel_kind kind, const void *source, long stride, long lanes, long depth, long steps, long width, uint32_t *panels) {
    switch (kind) {
    case panel_float: return pack_columns_float(source, stride, lanes, depth, steps, width, panels);
    case panel_widened: return pack_columns_widened(source, stride, lanes, depth, steps, width, panels);
    case panel_widened_half: return pack_columns_widened_half(source, stride, lanes, depth, steps, width, panels);
    case panel_widened_swapped: return pack_columns_widened_swapped(source, stride, lanes, depth, steps, width, panels);
    case panel_pairs: return pack_columns_pairs(source, stride, lanes, depth, steps, width, panels);
    }
}
