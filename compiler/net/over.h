/* over.h: which axes a reduction or a softmax goes over. */
#ifndef RNC_OVER_H
#define RNC_OVER_H

#include "net/ops.h"

typedef struct OverAxes {
    bool height, width, channels;
} OverAxes;

static inline OverAxes over_axes(Over over)
{
    return (OverAxes){over == OVER_IMAGE || over == OVER_SPACE || over == OVER_HEIGHT,
                      over == OVER_IMAGE || over == OVER_SPACE || over == OVER_WIDTH,
                      over == OVER_IMAGE || over == OVER_CHANNELS};
}

#endif
