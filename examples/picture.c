/* picture.c: decoding by libjpeg-turbo and libpng; scaling by a triangle filter
 * as wide as the scale (PIL's bilinear filter, which does not alias). */
#include "picture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

enum { MOST_PIXELS = 100000000 }; /* larger ones are damage or an attack */

void picture_free(picture *p)
{
    free(p->rgb);
    memset(p, 0, sizeof *p);
}

static int no_room(picture *p, size_t w, size_t h, char why[256])
{
    if (w == 0 || h == 0 || h > MOST_PIXELS / w) {
        snprintf(why, 256, "%zu x %zu pixels are too many", w, h);
        return -1;
    }
    p->w = (int)w;
    p->h = (int)h;
    p->rgb = malloc(w * h * 3);
    if (!p->rgb) {
        snprintf(why, 256, "no memory for %zu x %zu pixels", w, h);
        return -1;
    }
    return 0;
}

/* ---- JPEG ----
 *
 * Of damage that it can go on from, libjpeg warns on stderr. */

typedef struct jpeg_errors {
    struct jpeg_error_mgr base; /* first: libjpeg knows only this */
    jmp_buf jump;
    char *why;
} jpeg_errors;

static void on_jpeg_error(j_common_ptr jpeg)
{
    jpeg_errors *errors = (jpeg_errors *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(errors->why, 256, "%s", text);
    longjmp(errors->jump, 1);
}

/* A row of four inks as red, green and blue.  255 is no ink, as Adobe's programs write it: what is
 * left of a colour is that times what is left of white. */
static void take_inks(const JSAMPLE *inks, int pixels, unsigned char *rgb)
{
    for (int i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (unsigned char)((inks[4 * i + c] * inks[4 * i + 3] + 127) / 255);
}

static void read_rows(struct jpeg_decompress_struct *jpeg, picture *p)
{
    JSAMPARRAY inks = NULL;
    if (jpeg->out_color_space == JCS_CMYK)
        inks = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, 4 * jpeg->output_width, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = p->rgb + (size_t)jpeg->output_scanline * (size_t)p->w * 3;
        jpeg_read_scanlines(jpeg, inks ? inks : &row, 1);
        if (inks)
            take_inks(inks[0], p->w, row);
    }
}

static int read_jpeg(picture *p, FILE *f, char why[256])
{
    struct jpeg_decompress_struct jpeg;
    jpeg_errors errors;
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = on_jpeg_error;
    errors.why = why;
    if (setjmp(errors.jump)) {
        jpeg_destroy_decompress(&jpeg);
        return -1;
    }
    jpeg_create_decompress(&jpeg);
    jpeg_stdio_src(&jpeg, f);
    jpeg_read_header(&jpeg, TRUE);
    const int inks = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
    jpeg.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    if (no_room(p, jpeg.output_width, jpeg.output_height, why)) {
        jpeg_destroy_decompress(&jpeg);
        return -1;
    }
    read_rows(&jpeg, p);
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return 0;
}

/* ---- PNG ----
 *
 * Values are taken as they are stored, as PIL and Keras take them: the upper 8 of 16 bits, colours
 * without their transparency, no gamma. */

typedef struct png_errors {
    jmp_buf jump;
    char *why;
} png_errors;

static void on_png_error(png_structp png, png_const_charp text)
{
    png_errors *errors = png_get_error_ptr(png);
    snprintf(errors->why, 256, "%s", text);
    longjmp(errors->jump, 1);
}

/* Of chunks that no pixel depends on. */
static void on_png_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

/* All rows as RGB, in as many passes as an interlaced picture takes. */
static void read_png_rows(png_structp png, png_infop info, picture *p)
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
            png_read_row(png, p->rgb + (size_t)y * (size_t)p->w * 3, NULL);
    png_read_end(png, NULL);
}

static int read_png(picture *p, FILE *f, char why[256])
{
    png_errors errors;
    errors.why = why;
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &errors, on_png_error, on_png_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(why, 256, "no memory to decode it");
        png_destroy_read_struct(&png, NULL, NULL);
        return -1;
    }
    if (setjmp(errors.jump)) {
        png_destroy_read_struct(&png, &info, NULL);
        return -1;
    }
    png_init_io(png, f);
    png_read_info(png, info);
    const int bad =
        no_room(p, png_get_image_width(png, info), png_get_image_height(png, info), why);
    if (!bad)
        read_png_rows(png, info, p);
    png_destroy_read_struct(&png, &info, NULL);
    return bad;
}

int picture_read(picture *p, const char *path, char why[256])
{
    unsigned char head[8];
    int status = -1;
    memset(p, 0, sizeof *p);
    FILE *f = fopen(path, "rb");
    if (!f) {
        snprintf(why, 256, "%s", strerror(errno));
        return -1;
    }
    size_t n = fread(head, 1, sizeof head, f);
    rewind(f);
    if (n == 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8))
        status = read_png(p, f, why);
    else if (n >= 2 && head[0] == 0xff && head[1] == 0xd8)
        status = read_jpeg(p, f, why);
    else
        snprintf(why, 256, "neither a JPEG nor a PNG file");
    fclose(f);
    if (status)
        picture_free(p);
    return status;
}

/* ---- size ---- */

static double triangle(double d)
{
    return d < 0 ? (d > -1 ? 1 + d : 0) : (d < 1 ? 1 - d : 0);
}

/* Scales `lines` lines of `from` pixels to `to` pixels each:
 * out[i] = sum over x of in[x] * triangle((x + 1/2 - centre_i) / support),
 * divided by the sum of the weights.  Distances are in pixels. */
static void scale_lines(const unsigned char *in, int from, size_t in_step, size_t in_line,
                        unsigned char *out, int to, size_t out_step, size_t out_line, int lines)
{
    const double scale = (double)from / to;
    const double support = scale > 1 ? scale : 1;
    for (int i = 0; i < to; i++) {
        const double centre = (i + 0.5) * scale;
        const int first = centre > support ? (int)(centre - support + 0.5) : 0;
        const int end = centre + support < from ? (int)(centre + support + 0.5) : from;
        for (int line = 0; line < lines; line++) {
            double sum[3] = {0, 0, 0}, total = 0;
            for (int x = first; x < end; x++) {
                const unsigned char *pixel =
                    in + 3 * ((size_t)line * in_line + (size_t)x * in_step);
                const double weight = triangle((x + 0.5 - centre) / support);
                total += weight;
                for (int c = 0; c < 3; c++)
                    sum[c] += weight * pixel[c];
            }
            for (int c = 0; c < 3; c++)
                out[3 * ((size_t)line * out_line + (size_t)i * out_step) + (size_t)c] =
                    (unsigned char)(sum[c] / total + 0.5);
        }
    }
}

static int scale_to(picture *p, int64_t w, int64_t h)
{
    if (w * h > MOST_PIXELS || w * p->h > MOST_PIXELS)
        return -1;
    unsigned char *narrow = malloc((size_t)(w * p->h) * 3);
    unsigned char *out = malloc((size_t)(w * h) * 3);
    if (!narrow || !out) {
        free(narrow);
        free(out);
        return -1;
    }
    scale_lines(p->rgb, p->w, 1, (size_t)p->w, narrow, (int)w, 1, (size_t)w, p->h);
    scale_lines(narrow, p->h, (size_t)w, 1, out, (int)h, (size_t)w, 1, (int)w);
    free(narrow);
    free(p->rgb);
    p->rgb = out;
    p->w = (int)w;
    p->h = (int)h;
    return 0;
}

int picture_fit(picture *p, int w, int h)
{
    const int64_t most_w = (int64_t)w * 8 / 7, most_h = (int64_t)h * 8 / 7;
    if (p->w < w || p->h < h || p->w > most_w || p->h > most_h) {
        int64_t new_w = most_w, new_h = most_h;
        if (p->w * most_h >= p->h * most_w) /* the height decides */
            new_w = most_h * p->w / p->h;
        else
            new_h = most_w * p->h / p->w;
        if (scale_to(p, new_w, new_h))
            return -1;
    }
    const int left = (p->w - w) / 2, top = (p->h - h) / 2;
    for (int y = 0; y < h; y++)
        memmove(p->rgb + (size_t)y * (size_t)w * 3,
                p->rgb + ((size_t)(y + top) * (size_t)p->w + (size_t)left) * 3, (size_t)w * 3);
    p->w = w;
    p->h = h;
    return 0;
}
