/* cuts_norm.h: how norm_images cuts its work (cuts.h). */
#ifndef RNC_CUTS_NORM_H
#define RNC_CUTS_NORM_H

#include "kernels/cuts.h"

/* Channels of a block of norm_images.c: a group, or whole groups that fill vectors, where groups
 * are smaller than 16 channels. */
RNC_INLINE int rnc_norm_block(int group, int c)
{
    int block = group;
    while (group < 16 && block % 16 != 0)
        block += group;
    return block < c ? block : c;
}

#endif
