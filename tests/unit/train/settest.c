/* settest.c: see settest.h. */
#include "settest.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void set_begin(SetTest *t)
{
    *t = (SetTest){.folder = folder_new()};
    t->data.path = strdup(folder_path(&t->folder, "data"));
}

void set_end(SetTest *t)
{
    rnct_set_close(&t->set);
    folder_remove(&t->folder);
    free((char *)(uintptr_t)t->data.path);
}

bool set_read(SetTest *t)
{
    rnct_set_close(&t->set);
    t->problems.n = t->skipped.n = 0;
    return rnct_set_open(&t->set, &t->data, folder_path(&t->folder, "cache"), &t->problems,
                         &t->skipped);
}

void set_refused(SetTest *t, const char *words)
{
    CU_ASSERT_FALSE(set_read(t));
    CU_ASSERT_EQUAL(t->skipped.n, 0);
    CU_ASSERT(t->set.map.bytes == NULL);
    says(&t->problems, words);
}

void set_skips(SetTest *t, const char *words)
{
    t->data.skip = true;
    CU_ASSERT_FATAL(set_read(t));
    no_problems(&t->problems);
    says(&t->skipped, words);
    t->data.skip = false;
}

#ifdef RNC_HAVE_PICTURES
#include <jpeglib.h>
#include <png.h>

enum { MOST = 4096 };

static void fill(unsigned char *pixels, int n, const unsigned char *colour, size_t components)
{
    for (size_t i = 0; i < (size_t)n; i++)
        memcpy(pixels + components * i, colour, components);
}

size_t make_png(unsigned char *to, int h, int w, const unsigned char rgb[3])
{
    unsigned char *pixels = malloc((size_t)(h * w) * 3);
    png_alloc_size_t size = MOST;
    png_image png = {.version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB};
    CU_ASSERT_FATAL(pixels != NULL);
    png.height = (png_uint_32)h;
    png.width = (png_uint_32)w;
    fill(pixels, h * w, rgb, 3);
    CU_ASSERT_FATAL(png_image_write_to_memory(&png, to, &size, 0, pixels, 0, NULL));
    free(pixels);
    return size;
}

/* Of a colour in `of`, stored as libjpeg stores it or in the space `stored`. */
static size_t make_jpeg_of(unsigned char *to, int h, int w, const unsigned char *colour,
                           J_COLOR_SPACE of, J_COLOR_SPACE stored)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL, row[4 * 256];
    unsigned long size = 0;
    JSAMPROW rows = row;
    CU_ASSERT_FATAL(w <= 256);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_height = (JDIMENSION)h;
    jpeg.image_width = (JDIMENSION)w;
    jpeg.input_components = of == JCS_CMYK ? 4 : 3;
    jpeg.in_color_space = of;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, stored);
    jpeg_start_compress(&jpeg, TRUE);
    fill(row, w, colour, (size_t)jpeg.input_components);
    while (jpeg.next_scanline < jpeg.image_height)
        jpeg_write_scanlines(&jpeg, &rows, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    CU_ASSERT_FATAL(size <= MOST);
    memcpy(to, bytes, size);
    free(bytes);
    return size;
}

size_t make_jpeg(unsigned char *to, int h, int w, const unsigned char rgb[3])
{
    return make_jpeg_of(to, h, w, rgb, JCS_RGB, JCS_YCbCr);
}

size_t make_jpeg_of_inks(unsigned char *to, int h, int w, const unsigned char cmyk[4], bool turned)
{
    return make_jpeg_of(to, h, w, cmyk, JCS_CMYK, turned ? JCS_YCCK : JCS_CMYK);
}

void put_png(SetTest *t, const char *name, int h, int w, int red)
{
    unsigned char bytes[MOST];
    const unsigned char rgb[3] = {(unsigned char)red, 100, 200};
    folder_write(&t->folder, name, bytes, make_png(bytes, h, w, rgb));
}
#endif
