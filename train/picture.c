/* picture.c: decodes pictures, by libjpeg-turbo and libpng (see picture.h). */
#define _POSIX_C_SOURCE 200809L /* fdopen */
#include "train/picture.h"

#include "train/mapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PIXELS = 100000000 }; /* larger ones are damage or an attack */

void rnct_picture_free(Picture *p)
{
    free(p->pixels);
    *p = (Picture){0};
}

bool rnct_picture_new(Picture *p, long h, long w, int c, char why[RNCT_WHY_BYTES])
{
    *p = (Picture){0};
    if (h <= 0 || w <= 0 || h > MOST_PIXELS / w) {
        snprintf(why, RNCT_WHY_BYTES, "%ld x %ld pixels (at most %d are read)", h, w, MOST_PIXELS);
        return false;
    }
    p->pixels = malloc((size_t)h * (size_t)w * (size_t)c);
    if (!p->pixels) {
        snprintf(why, RNCT_WHY_BYTES, "no memory for %ld x %ld pixels", h, w);
        return false;
    }
    p->h = (int)h;
    p->w = (int)w;
    p->c = c;
    return true;
}

#ifdef RNC_HAVE_PICTURES
#include <setjmp.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

/* ---- JPEG ---- */

typedef struct JpegErrors {
    struct jpeg_error_mgr base; /* first: libjpeg knows only this */
    jmp_buf jump;
    char *why;
} JpegErrors;

static void on_jpeg_error(j_common_ptr jpeg)
{
    JpegErrors *errors = (JpegErrors *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(errors->why, RNCT_WHY_BYTES, "cannot be decoded: %.*s", RNCT_WHY_BYTES - 20, text);
    longjmp(errors->jump, 1);
}

/* A warning: what libjpeg goes on from with pixels of its own invention.  Bytes too many are none
 * of that; what cameras write after a picture is often called so. */
static void on_jpeg_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA)
        on_jpeg_error(jpeg);
}

/* A row of four inks as red, green and blue.  255 is no ink, as Adobe's programs write it and PIL
 * reads it: what is left of a colour is that times what is left of white. */
static void take_inks(const JSAMPLE *inks, int pixels, unsigned char *rgb)
{
    for (int i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (unsigned char)((inks[4 * i + c] * inks[4 * i + 3] + 127) / 255);
}

static void read_rows(struct jpeg_decompress_struct *jpeg, Picture *p)
{
    JSAMPARRAY inks = NULL;
    if (jpeg->out_color_space == JCS_CMYK)
        inks = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, 4 * jpeg->output_width, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = p->pixels + (size_t)jpeg->output_scanline * (size_t)p->w * 3;
        jpeg_read_scanlines(jpeg, inks ? inks : &row, 1);
        if (inks)
            take_inks(inks[0], p->w, row);
    }
}

static bool decode_jpeg(Picture *p, FILE *f, char why[RNCT_WHY_BYTES])
{
    struct jpeg_decompress_struct jpeg;
    JpegErrors errors;
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = on_jpeg_error;
    errors.base.emit_message = on_jpeg_message;
    errors.why = why;
    if (setjmp(errors.jump)) {
        jpeg_destroy_decompress(&jpeg);
        return false;
    }
    jpeg_create_decompress(&jpeg);
    jpeg_stdio_src(&jpeg, f);
    jpeg_read_header(&jpeg, TRUE);
    const bool inks = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
    jpeg.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    if (rnct_picture_new(p, (long)jpeg.output_height, (long)jpeg.output_width, 3, why)) {
        read_rows(&jpeg, p);
        jpeg_finish_decompress(&jpeg);
    }
    jpeg_destroy_decompress(&jpeg);
    return p->pixels != NULL;
}

/* ---- PNG ----
 *
 * Values are taken as they are stored, as PIL and Keras take them: the upper 8 of 16 bits, colours
 * without their transparency, no gamma. */

typedef struct PngErrors {
    jmp_buf jump;
    char *why;
} PngErrors;

static void on_png_error(png_structp png, png_const_charp text)
{
    PngErrors *errors = png_get_error_ptr(png);
    snprintf(errors->why, RNCT_WHY_BYTES, "cannot be decoded: %.*s", RNCT_WHY_BYTES - 20, text);
    longjmp(errors->jump, 1);
}

/* Of chunks that no pixel depends on. */
static void on_png_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

/* All rows as RGB, in as many passes as an interlaced picture takes. */
static void read_png_rows(png_structp png, png_infop info, Picture *p)
{
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (size_t)p->w * 3)
        png_error(png, "no RGB");
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < p->h; y++)
            png_read_row(png, p->pixels + (size_t)y * (size_t)p->w * 3, NULL);
    png_read_end(png, NULL);
}

static bool decode_png(Picture *p, FILE *f, char why[RNCT_WHY_BYTES])
{
    PngErrors errors = {.why = why};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &errors, on_png_error, on_png_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(why, RNCT_WHY_BYTES, "no memory to decode it");
        png_destroy_read_struct(&png, NULL, NULL);
        return false;
    }
    if (setjmp(errors.jump)) {
        png_destroy_read_struct(&png, &info, NULL);
        return false;
    }
    png_init_io(png, f);
    png_read_info(png, info);
    const bool good = rnct_picture_new(p, (long)png_get_image_height(png, info),
                                       (long)png_get_image_width(png, info), 3, why);
    if (good)
        read_png_rows(png, info, p);
    png_destroy_read_struct(&png, &info, NULL);
    return good;
}

bool rnct_picture_decode(Picture *p, const char *path, char why[RNCT_WHY_BYTES])
{
    unsigned char head[8];
    const char *system;
    bool good = false;
    *p = (Picture){0};
    const int fd = rnct_open(path, NULL, &system);
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (!f) {
        snprintf(why, RNCT_WHY_BYTES, "cannot be read: %s", fd < 0 ? system : "no memory");
        if (fd >= 0)
            close(fd);
        return false;
    }
    const size_t n = fread(head, 1, sizeof head, f);
    rewind(f);
    if (n == 0)
        snprintf(why, RNCT_WHY_BYTES, "the file is empty");
    else if (n == 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8))
        good = decode_png(p, f, why);
    else if (n >= 2 && head[0] == 0xff && head[1] == 0xd8)
        good = decode_jpeg(p, f, why);
    else
        snprintf(why, RNCT_WHY_BYTES, "neither a JPEG nor a PNG file");
    fclose(f);
    if (!good)
        rnct_picture_free(p);
    return good;
}

#else

bool rnct_picture_decode(Picture *p, const char *path, char why[RNCT_WHY_BYTES])
{
    (void)path;
    *p = (Picture){0};
    snprintf(why, RNCT_WHY_BYTES,
             "this rnc was built without libjpeg and libpng (libjpeg62-turbo-dev, libpng-dev)");
    return false;
}

#endif
