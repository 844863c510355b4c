#pragma once

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

// A PNG decoder over bytes in memory. libpng's errors end in longjmp, which must not cross Swift's frames: each function below
// that calls it catches that, gives 0, and has put libpng's words into `message`.

typedef struct png_decoder {
    png_structp library;
    png_infop info;
    const uint8_t *next;
    size_t left;
    jmp_buf failed;
    char message[128];
} png_decoder;

// What the file's rows are made of.
typedef struct png_layout {
    uint32_t width, height;
    int color_type, bit_depth;
    size_t row_bytes;
    // Red, green and blue of each index; zeros beyond what the file names.
    uint8_t palette[256][3];
    // Of each index; 255 beyond what the file names.
    uint8_t alpha[256];
    // Whether an index or one colour is transparent, and that colour: red, green and blue, or a gray value three times.
    int has_transparency;
    uint16_t transparent[3];
} png_layout;

static inline void png_decoder_fail(png_structp library, png_const_charp message) {
    png_decoder *decoder = (png_decoder *)png_get_error_ptr(library);
    snprintf(decoder->message, sizeof decoder->message, "%s", message);
    longjmp(decoder->failed, 1);
}

static inline void png_decoder_ignore(png_structp library, png_const_charp message) {
    (void)library;
    (void)message;
}

static inline void png_decoder_supply(png_structp library, png_bytep target, size_t count) {
    png_decoder *decoder = (png_decoder *)png_get_io_ptr(library);
    if (count > decoder->left) png_error(library, "the file ends early");
    memcpy(target, decoder->next, count);
    decoder->next += count;
    decoder->left -= count;
}

// `bytes` must outlive the decoder. NULL when there is no memory.
static inline png_decoder *png_decoder_open(const void *bytes, size_t count) {
    png_decoder *decoder = (png_decoder *)calloc(1, sizeof(png_decoder));
    if (!decoder) return NULL;
    decoder->next = (const uint8_t *)bytes;
    decoder->left = count;
    return decoder;
}

// Reads up to the first pixel. Notes, profiles and all else that changes no pixel is skipped without being inflated or kept.
static inline int png_decoder_read_header(png_decoder *decoder, png_layout *layout) {
    if (setjmp(decoder->failed)) return 0;
    decoder->library = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, png_decoder_fail, png_decoder_ignore);
    decoder->info = decoder->library ? png_create_info_struct(decoder->library) : NULL;
    if (!decoder->info) {
        snprintf(decoder->message, sizeof decoder->message, "libpng has no memory or another version");
        return 0;
    }
    png_structp library = decoder->library;
    png_set_read_fn(library, decoder, png_decoder_supply);
    png_set_keep_unknown_chunks(library, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    // The number of pixels is limited by the caller; libpng by itself limits each side to a million.
    png_set_user_limits(library, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(library, decoder->info);

    memset(layout, 0, sizeof *layout);
    layout->width = png_get_image_width(library, decoder->info);
    layout->height = png_get_image_height(library, decoder->info);
    layout->color_type = png_get_color_type(library, decoder->info);
    layout->bit_depth = png_get_bit_depth(library, decoder->info);
    layout->row_bytes = png_get_rowbytes(library, decoder->info);
    png_colorp colors = NULL;
    int count = 0;
    png_get_PLTE(library, decoder->info, &colors, &count);
    for (int i = 0; i < count && i < 256; i++) {
        layout->palette[i][0] = colors[i].red;
        layout->palette[i][1] = colors[i].green;
        layout->palette[i][2] = colors[i].blue;
    }
    memset(layout->alpha, 255, sizeof layout->alpha);
    png_bytep alpha = NULL;
    png_color_16p color = NULL;
    if (png_get_tRNS(library, decoder->info, &alpha, &count, &color)) {
        layout->has_transparency = 1;
        for (int i = 0; alpha && i < count && i < 256; i++) layout->alpha[i] = alpha[i];
        int is_gray = layout->color_type == PNG_COLOR_TYPE_GRAY;
        if (color) {
            layout->transparent[0] = is_gray ? color->gray : color->red;
            layout->transparent[1] = is_gray ? color->gray : color->green;
            layout->transparent[2] = is_gray ? color->gray : color->blue;
        }
    }
    return 1;
}

// Reads all rows, each to its place, and the file to its end. A pixel takes `bytes_a_pixel`: one is an index or a gray value, two are a
// gray value of 16 bits, three are RGB; with `keep_alpha`, two are a gray value and alpha where the file has that, and four are RGB and
// alpha. Without it, alpha is dropped. Of the samples of 16 bits that are no gray value alone the higher 8 are kept.
static inline int png_decoder_read(png_decoder *decoder, uint8_t **rows, int keep_alpha, int *bytes_a_pixel) {
    if (setjmp(decoder->failed)) return 0;
    png_structp library = decoder->library;
    int color_type = png_get_color_type(library, decoder->info), bit_depth = png_get_bit_depth(library, decoder->info);
    if (bit_depth < 8) png_set_packing(library);
    if (bit_depth == 16 && color_type != PNG_COLOR_TYPE_GRAY) png_set_strip_16(library);
    if (color_type & PNG_COLOR_MASK_ALPHA && !keep_alpha) png_set_strip_alpha(library);
    png_set_interlace_handling(library);
    png_read_update_info(library, decoder->info);
    *bytes_a_pixel = png_get_channels(library, decoder->info) * (png_get_bit_depth(library, decoder->info) / 8);
    if (*bytes_a_pixel > (keep_alpha ? 4 : 3)) png_error(library, "its rows are of no known form");
    png_read_image(library, rows);
    png_read_end(library, NULL);
    return 1;
}

static inline void png_decoder_close(png_decoder *decoder) {
    png_destroy_read_struct(&decoder->library, &decoder->info, NULL);
    free(decoder);
}
