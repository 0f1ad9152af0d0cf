/* picture.h: JPEG and PNG files as pixels, cut to the size a network wants. */
#ifndef PICTURE_H
#define PICTURE_H

typedef struct picture {
    int w, h;
    unsigned char *rgb; /* [h][w][3], malloc'ed */
} picture;

/* Reads a JPEG or a PNG.  0, or -1 with what is wrong in `why`. */
int picture_read(picture *p, const char *path, char why[256]);

/* Makes it w x h.  A picture of that size stays as it is; one that is up to 8/7
 * as large is cropped about its centre; any other is scaled first, as torchvision
 * does with Resize(256), CenterCrop(224), so that it just covers 8/7 of the size.
 * 0, or -1 when memory runs out. */
int picture_fit(picture *p, int w, int h);

void picture_free(picture *p);

#endif
