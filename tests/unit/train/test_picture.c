/* test_picture.c: decoding, scaling and cutting. */
#include "train/picture.h"

#include "settest.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Some picture that is the same everywhere. */
static Picture pattern(int h, int w)
{
    char why[RNCT_WHY_BYTES];
    Picture p;
    CU_ASSERT_FATAL(rnct_picture_new(&p, h, w, 3, why));
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            unsigned char *pixel = p.pixels + 3 * (y * w + x);
            pixel[0] = (unsigned char)(x * 37 + y * 11);
            pixel[1] = (unsigned char)(x * x * 5 + y * 29);
            pixel[2] = (unsigned char)(x * y * 13 + 7);
        }
    }
    return p;
}

static void fits_as(int from_h, int from_w, int h, int w, const unsigned char *expected)
{
    char why[RNCT_WHY_BYTES];
    Picture p = pattern(from_h, from_w);
    CU_ASSERT_FATAL(rnct_picture_fit(&p, h, w, why));
    CU_ASSERT(p.h == h && p.w == w && p.c == 3);
    CU_ASSERT_EQUAL(memcmp(p.pixels, expected, (size_t)(h * w) * 3), 0);
    rnct_picture_free(&p);
}

/* What PIL's Image.resize(BILINEAR) gives, cut about the centre. */
static void test_fit(void)
{
    static const unsigned char smaller[] = {46,  42,  21, 125, 86,  56,  204, 160, 91,
                                            76,  122, 52, 155, 161, 133, 173, 133, 122,
                                            106, 202, 82, 176, 166, 125, 105, 95,  118};
    static const unsigned char larger[] = {
        9,  1,  7,  28, 4,  7,  46, 9,  7,  65, 16, 7,  83,  26, 7,  102, 39, 7,
        12, 8,  8,  31, 11, 10, 49, 16, 11, 68, 23, 13, 86,  33, 14, 105, 46, 16,
        17, 23, 9,  36, 26, 15, 54, 31, 19, 73, 38, 24, 91,  48, 29, 110, 61, 34,
        23, 37, 11, 42, 40, 20, 60, 45, 27, 79, 52, 36, 97,  62, 44, 116, 75, 52,
        28, 52, 13, 47, 55, 25, 65, 60, 36, 84, 67, 47, 102, 77, 59, 121, 90, 70,
        31, 59, 14, 50, 62, 27, 68, 67, 40, 87, 74, 53, 105, 84, 66, 124, 97, 79};
    static const unsigned char tall[] = {49,  41,  21, 132, 90,  53,  164, 150, 85,  64,  127, 103,
                                         76,  111, 53, 159, 154, 125, 145, 123, 128, 85,  131, 131,
                                         105, 186, 82, 176, 170, 130, 101, 114, 123, 108, 125, 128,
                                         134, 102, 94, 166, 92,  124, 77,  148, 119, 137, 122, 117,
                                         163, 87,  86, 143, 135, 113, 84,  141, 129, 167, 137, 133};
    fits_as(9, 7, 3, 3, smaller);
    fits_as(3, 4, 6, 6, larger);
    fits_as(16, 10, 5, 4, tall);
}

/* One that fits stays; one colour stays that colour; a line of pixels is no special case. */
static void test_fit_plain(void)
{
    char why[RNCT_WHY_BYTES];
    Picture p = pattern(5, 4), q = pattern(5, 4);
    CU_ASSERT_FATAL(rnct_picture_fit(&p, 5, 4, why));
    CU_ASSERT_EQUAL(memcmp(p.pixels, q.pixels, 60), 0);
    rnct_picture_free(&p);
    rnct_picture_free(&q);
    for (int n = 1; n < 40; n++) {
        CU_ASSERT_FATAL(rnct_picture_new(&p, 1 + n % 7, n, 4, why));
        memset(p.pixels, 255, (size_t)(p.h * p.w * 4));
        CU_ASSERT_FATAL(rnct_picture_fit(&p, 6, 5, why));
        for (int i = 0; i < 6 * 5 * 4; i++)
            CU_ASSERT_EQUAL(p.pixels[i], 255);
        rnct_picture_free(&p);
    }
    CU_ASSERT_FALSE(rnct_picture_new(&p, 20000, 20000, 3, why));
    CU_ASSERT_STRING_EQUAL(why, "20000 x 20000 pixels (at most 100000000 are read)");
}

#ifdef RNC_HAVE_PICTURES
#include <png.h>

static void broken(SetTest *t, const char *words)
{
    char why[RNCT_WHY_BYTES] = "";
    Picture p;
    CU_ASSERT_FALSE(rnct_picture_decode(&p, folder_path(&t->folder, "a"), why));
    CU_ASSERT_PTR_NULL(p.pixels);
    if (!strstr(why, words)) {
        printf("expected: %s\nfound: %s\n", words, why);
        CU_FAIL("another reason");
    }
}

/* One pixel in a format of libpng's. */
static size_t make_png_of(unsigned char *to, png_uint_32 format, const void *pixel, size_t size)
{
    png_alloc_size_t n = 4096;
    png_image png = {.version = PNG_IMAGE_VERSION, .format = format, .width = 1, .height = 1};
    CU_ASSERT_FATAL(size == PNG_IMAGE_PIXEL_SIZE(format));
    CU_ASSERT_FATAL(png_image_write_to_memory(&png, to, &n, 0, pixel, 0, NULL));
    return n;
}

static void test_decode(void)
{
    SetTest t;
    static unsigned char bytes[4096];
    const unsigned char rgb[3] = {200, 30, 90};
    char why[RNCT_WHY_BYTES];
    Picture p;
    set_begin(&t);
    for (int jpeg = 0; jpeg < 2; jpeg++) {
        size_t n = (jpeg ? make_jpeg : make_png)(bytes, 20, 30, rgb);
        folder_write(&t.folder, "a", bytes, n);
        CU_ASSERT_FATAL(rnct_picture_decode(&p, folder_path(&t.folder, "a"), why));
        CU_ASSERT(p.h == 20 && p.w == 30 && p.c == 3);
        for (int i = 0; i < 20 * 30 * 3; i++)
            CU_ASSERT(abs(p.pixels[i] - rgb[i % 3]) <= 2 * jpeg);
        rnct_picture_free(&p);
        /* Only the mark at the end may be lost, which comes after all pixels. */
        for (size_t cut = 1; cut + (jpeg ? 2 : 12) < n; cut++) {
            folder_write(&t.folder, "a", bytes, cut);
            broken(&t, "");
        }
        if (!jpeg) {
            bytes[n - 17] ^= 0x01;
            folder_write(&t.folder, "a", bytes, n);
            broken(&t, "cannot be decoded: IDAT");
        }
    }
    /* As PIL reads them: what is transparent has its colour, 16 bits their upper 8, and gamma,
     * which libpng notes in the second, has no effect. */
    const unsigned char clear[4] = {200, 30, 90, 128};
    const uint16_t deep[3] = {200 * 256 + 255, 30 * 256, 90 * 256 + 17};
    for (int k = 0; k < 2; k++) {
        folder_write(&t.folder, "a", bytes,
                     k ? make_png_of(bytes, PNG_FORMAT_LINEAR_RGB, deep, sizeof deep)
                       : make_png_of(bytes, PNG_FORMAT_RGBA, clear, sizeof clear));
        CU_ASSERT_FATAL(rnct_picture_decode(&p, folder_path(&t.folder, "a"), why));
        CU_ASSERT(p.h == 1 && p.w == 1 && memcmp(p.pixels, rgb, 3) == 0);
        rnct_picture_free(&p);
    }
    /* As PIL reads them: 255 is no ink. */
    const unsigned char cmyk[4] = {200, 30, 90, 128}, seen[3] = {100, 15, 45};
    for (int turned = 0; turned < 2; turned++) {
        folder_write(&t.folder, "a", bytes, make_jpeg_of_inks(bytes, 20, 30, cmyk, turned));
        CU_ASSERT_FATAL(rnct_picture_decode(&p, folder_path(&t.folder, "a"), why));
        CU_ASSERT(p.h == 20 && p.w == 30 && p.c == 3);
        for (int i = 0; i < 20 * 30 * 3; i++)
            CU_ASSERT(abs(p.pixels[i] - seen[i % 3]) <= 2);
        rnct_picture_free(&p);
    }
    folder_write(&t.folder, "a", "", 0);
    broken(&t, "the file is empty");
    folder_write(&t.folder, "a", "GIF89a", 6);
    broken(&t, "neither a JPEG nor a PNG file");
    remove(folder_path(&t.folder, "a"));
    broken(&t, "cannot be read: No such file");
    mkdir(folder_path(&t.folder, "a"), 0777);
    broken(&t, "cannot be read: Is a directory");
    remove(folder_path(&t.folder, "a"));
    CU_ASSERT_EQUAL(mkfifo(folder_path(&t.folder, "a"), 0666), 0);
    broken(&t, "cannot be read: it is not an ordinary file");
    set_end(&t);
}
#endif

void suite_picture(void)
{
    CU_pSuite suite = CU_add_suite("picture", NULL, NULL);
    CU_ADD_TEST(suite, test_fit);
    CU_ADD_TEST(suite, test_fit_plain);
#ifdef RNC_HAVE_PICTURES
    CU_ADD_TEST(suite, test_decode);
#endif
}
