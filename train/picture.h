/* picture.h: one picture as pixels; private to train/. */
#ifndef RNCT_PICTURE_H
#define RNCT_PICTURE_H

#include <stdbool.h>

enum { RNCT_WHY_BYTES = 160 };

typedef struct Picture {
    int h, w, c;
    unsigned char *pixels; /* [h][w][c], malloc'ed; NULL if there is none */
} Picture;

/* Room for pixels; false with what is wrong in `why`, and then there is nothing to be freed. */
bool rnct_picture_new(Picture *p, long h, long w, int c, char why[RNCT_WHY_BYTES]);
void rnct_picture_free(Picture *p);

/* Decodes a JPEG or PNG file, by its content, to RGB: grey becomes three equal channels, what is
 * transparent is laid on black.  The orientation that a camera noted is not applied.  A file that
 * is damaged, also one that its library would only warn of, is refused. */
bool rnct_picture_decode(Picture *p, const char *path, char why[RNCT_WHY_BYTES]);

/* Makes it h x w.  One of that size stays as it is.  Any other is scaled, keeping its proportions,
 * until it just covers h x w (its shorter side fits, for a square), and cut about its centre.  The
 * scaling is bilinear with antialias: a triangle filter as wide as the scale, rounded to bytes
 * after the rows and after the columns, as PIL does it. */
bool rnct_picture_fit(Picture *p, int h, int w, char why[RNCT_WHY_BYTES]);

#endif
