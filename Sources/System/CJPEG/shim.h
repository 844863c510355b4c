#pragma once

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <jerror.h>

// A JPEG decoder over bytes in memory. libjpeg leaves by longjmp when it fails, which must not cross Swift's frames: each
// function below that calls it catches that, gives 0, and has put libjpeg's words into `message`.

typedef struct jpeg_decoder {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    int maximum_scans;
    char message[JMSG_LENGTH_MAX];
} jpeg_decoder;

static inline void jpeg_decoder_fail(j_common_ptr library) {
    jpeg_decoder *decoder = (jpeg_decoder *)library->client_data;
    library->err->format_message(library, decoder->message);
    longjmp(decoder->failed, 1);
}

// A level below 0 is a warning. What concerns the picture itself would leave gray or shifted blocks in it and is a failure;
// bytes between segments, a foreign version or a foreign note in the header change no pixel.
static inline void jpeg_decoder_warn(j_common_ptr library, int level) {
    if (level >= 0) return;
    switch (library->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
        return;
    default:
        jpeg_decoder_fail(library);
    }
}

static inline void jpeg_decoder_silence(j_common_ptr library) { (void)library; }
static inline void jpeg_decoder_source_nothing(j_decompress_ptr library) { (void)library; }

// All bytes are there from the beginning: whoever asks for more has read past the end.
static inline boolean jpeg_decoder_source_more(j_decompress_ptr library) {
    library->err->msg_code = JERR_INPUT_EOF;
    jpeg_decoder_fail((j_common_ptr)library);
    return FALSE;
}

static inline void jpeg_decoder_source_skip(j_decompress_ptr library, long count) {
    if (count <= 0) return;
    if ((size_t)count > library->src->bytes_in_buffer) jpeg_decoder_source_more(library);
    library->src->next_input_byte += count;
    library->src->bytes_in_buffer -= (size_t)count;
}

// A few hundred bytes of empty scans cost a pass over the whole picture each.
static inline void jpeg_decoder_count_scans(j_common_ptr library) {
    jpeg_decoder *decoder = (jpeg_decoder *)library->client_data;
    if (decoder->library.input_scan_number <= decoder->maximum_scans) return;
    snprintf(decoder->message, sizeof decoder->message, "it has more than %d scans", decoder->maximum_scans);
    longjmp(decoder->failed, 1);
}

// Reads as far as the picture's size. `bytes` must outlive the decoder. NULL when there is no memory.
static inline jpeg_decoder *jpeg_decoder_open(const void *bytes, size_t count, int maximum_scans) {
    jpeg_decoder *decoder = (jpeg_decoder *)calloc(1, sizeof(jpeg_decoder));
    if (!decoder) return NULL;
    decoder->maximum_scans = maximum_scans;
    decoder->library.err = jpeg_std_error(&decoder->errors);
    decoder->library.client_data = decoder;
    decoder->errors.error_exit = jpeg_decoder_fail;
    decoder->errors.emit_message = jpeg_decoder_warn;
    decoder->errors.output_message = jpeg_decoder_silence;
    decoder->source.next_input_byte = (const JOCTET *)bytes;
    decoder->source.bytes_in_buffer = count;
    decoder->source.init_source = jpeg_decoder_source_nothing;
    decoder->source.fill_input_buffer = jpeg_decoder_source_more;
    decoder->source.skip_input_data = jpeg_decoder_source_skip;
    decoder->source.resync_to_restart = jpeg_resync_to_restart;
    decoder->source.term_source = jpeg_decoder_source_nothing;
    decoder->progress.progress_monitor = jpeg_decoder_count_scans;
    return decoder;
}

static inline int jpeg_decoder_read_header(jpeg_decoder *decoder) {
    if (setjmp(decoder->failed)) return 0;
    jpeg_create_decompress(&decoder->library);
    decoder->library.src = &decoder->source;
    decoder->library.progress = &decoder->progress;
    jpeg_read_header(&decoder->library, TRUE);
    return 1;
}

// Rows will be CMYK where the file has four components, else RGB. Reads all scans of a progressive file.
static inline int jpeg_decoder_start(jpeg_decoder *decoder) {
    if (setjmp(decoder->failed)) return 0;
    decoder->library.out_color_space = decoder->library.num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&decoder->library);
    return 1;
}

static inline int jpeg_decoder_read_row(jpeg_decoder *decoder, uint8_t *row) {
    if (setjmp(decoder->failed)) return 0;
    return jpeg_read_scanlines(&decoder->library, &row, 1) == 1;
}

// libjpeg's own part needs no second look at errors: it only frees.
static inline void jpeg_decoder_close(jpeg_decoder *decoder) {
    jpeg_destroy_decompress(&decoder->library);
    free(decoder);
}
