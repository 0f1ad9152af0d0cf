/* settest.h: pictures and data sets for the tests of train/. */
#ifndef RNC_SETTEST_H
#define RNC_SETTEST_H

#include "train/set.h"
#include "traintest.h"

/* What a data set is read into, and what was said. */
typedef struct SetTest {
    TestFolder folder;
    rnct_data data;
    rnct_set set;
    rnct_problems problems, skipped;
} SetTest;

/* A folder of its own, whose "data" is to be read. */
void set_begin(SetTest *t);
void set_end(SetTest *t);
/* Reads it through the cache file "cache" of the folder; each call closes the set before. */
bool set_read(SetTest *t);
/* Reads it, and fails the test where it is not refused or no problem has `words`. */
void set_refused(SetTest *t, const char *words);
/* Reads it with `skip`: one sample or more must be left out, with these words. */
void set_skips(SetTest *t, const char *words);

/* The bytes of a PNG or JPEG file of one colour, whose size is returned; at most 4096. */
size_t make_png(unsigned char *to, int h, int w, const unsigned char rgb[3]);
size_t make_jpeg(unsigned char *to, int h, int w, const unsigned char rgb[3]);
/* Of four inks, 255 for none; `turned`: stored as brightness and colour (YCCK). */
size_t make_jpeg_of_inks(unsigned char *to, int h, int w, const unsigned char cmyk[4], bool turned);
/* Writes a PNG file of h x w pixels whose red is `red`. */
void put_png(SetTest *t, const char *name, int h, int w, int red);

#endif
