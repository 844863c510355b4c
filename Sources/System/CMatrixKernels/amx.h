#pragma once

// Products of bfloat16 values by AMX. An element of C is one chain of `tdpbf16ps` over blocks of 32 of the depth: each forms
// the fused chain of the even elements' products and that of the odd ones', adds the two, and adds that to C; rounded to
// nearest, denormals as zeros (Intel's manual). The bits differ from those of AVX512-BF16.

#include "float32.h"

#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_AMX __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16")))

enum { amx_tile_rows = 16, amx_tile_depth = 32 };

// Asks the kernel for the tile registers, once a process before its threads start. Zero where it grants them.
static inline long amx_request(void) { return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* XTILEDATA */); }

// Tiles of A: 16 rows of 32 bfloat16 values each, one tile behind the other along the depth, then the next 16 rows.
// Rows and depth beyond the block are zeros.
KERNEL_AVX2 static inline void amx_pack_rows(const void *source, long stride, long rows, long depth, void *tiles) {
    uint8_t *out = (uint8_t *)tiles;
    for (long row = 0; row < rows; row += amx_tile_rows) {
        for (long step = 0; step < depth; step += amx_tile_depth) {
            const long bytes = depth - step < amx_tile_depth ? 2 * (depth - step) : 64;
            for (long r = 0; r < amx_tile_rows; r++, out += 64) {
                if (row + r < rows) memcpy(out, (const uint8_t *)source + (row + r) * stride + step * 2, bytes);
                if (row + r >= rows) memset(out, 0, 64);
                else if (bytes < 64) memset(out + bytes, 0, 64 - bytes);
            }
        }
    }
}

// C (+)= A·B. A in tiles, B in panels of pairs 32 columns wide; `depth` a multiple of 32. All threads of a process may call it
// at once; each call sets up its thread's tiles and gives them back.
KERNEL_AMX static inline void bfloat16_panels_amx(
    long rows, long columns, long depth, const void *a, const uint32_t *b, float *c, long c_row, int accumulate) {
    struct __attribute__((packed)) {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } layout = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        layout.row_bytes[i] = 64;
        layout.rows[i] = 16;
    }
    _tile_loadconfig(&layout);
    const long tile_bytes = depth / amx_tile_depth * 1024;
    float edge[32 * 32];
    for (long column = 0; column < columns; column += 32) {
        const long width = columns - column < 32 ? columns - column : 32;
        for (long row = 0; row < rows; row += 32) {
            const long height = rows - row < 32 ? rows - row : 32;
            const int whole = width == 32 && height == 32;
            float *target = c + row * c_row + column, *out = whole ? target : edge;
            const long stride = whole ? c_row * 4 : 128;
            if (!whole && accumulate) {
                for (long r = 0; r < height; r++) memcpy(edge + r * 32, target + r * c_row, width * 4);
            }
            if (accumulate) {
                _tile_loadd(0, out, stride);
                _tile_loadd(1, out + 16, stride);
                _tile_loadd(2, out + 16 * stride / 4, stride);
                _tile_loadd(3, out + 16 * stride / 4 + 16, stride);
            } else {
                _tile_zero(0);
                _tile_zero(1);
                _tile_zero(2);
                _tile_zero(3);
            }
            const uint8_t *a0 = (const uint8_t *)a + row / 16 * tile_bytes, *a1 = a0 + tile_bytes;
            const uint8_t *panel = (const uint8_t *)(b + column * (depth / 2));
            if (height > 16) {
                for (long step = 0; step < depth; step += amx_tile_depth) {
                    _tile_loadd(4, a0, 64);
                    _tile_loadd(6, panel, 128);
                    _tile_dpbf16ps(0, 4, 6);
                    _tile_loadd(7, panel + 64, 128);
                    _tile_dpbf16ps(1, 4, 7);
                    _tile_loadd(5, a1, 64);
                    _tile_dpbf16ps(2, 5, 6);
                    _tile_dpbf16ps(3, 5, 7);
                    a0 += 1024;
                    a1 += 1024;
                    panel += 2048;
                }
            } else {
                for (long step = 0; step < depth; step += amx_tile_depth) {
                    _tile_loadd(4, a0, 64);
                    _tile_loadd(6, panel, 128);
                    _tile_dpbf16ps(0, 4, 6);
                    _tile_loadd(7, panel + 64, 128);
                    _tile_dpbf16ps(1, 4, 7);
                    a0 += 1024;
                    panel += 2048;
                }
            }
            _tile_stored(0, out, stride);
            _tile_stored(1, out + 16, stride);
            if (height > 16) {
                _tile_stored(2, out + 16 * stride / 4, stride);
                _tile_stored(3, out + 16 * stride / 4 + 16, stride);
            }
            if (!whole) {
                for (long r = 0; r < height; r++) memcpy(target + r * c_row, edge + r * 32, width * 4);
            }
        }
    }
    _tile_release();
}
