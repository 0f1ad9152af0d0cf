/* arrays.c: arrays of pictures, as h5 and npz files have them, as samples. */
#include "train/source.h"

#include "train/bytes.h"

#include <inttypes.h>

static bool is_channels(int64_t c)
{
    return c == 1 || c == 3 || c == 4;
}

/* The shape of a picture; false where the array has none. */
static bool find_shape(Source *s, const Arrays *a)
{
    int64_t h = 0, w = 0, c = 0;
    if (a->rank == 3) {
        h = a->dims[1], w = a->dims[2], c = 1;
    } else if (a->rank == 4 && is_channels(a->dims[3])) {
        h = a->dims[1], w = a->dims[2], c = a->dims[3];
    } else if (a->rank == 4 && (a->dims[1] == 1 || a->dims[1] == 3)) {
        h = a->dims[2], w = a->dims[3], c = a->dims[1];
        s->planar = c > 1;
    }
    if (h < 1 || w < 1 || h > 65535 || w > 65535)
        return false;
    s->h = (int)h;
    s->w = (int)w;
    s->c = (int)c;
    return true;
}

static int64_t label_of(const Arrays *a, int64_t i)
{
    const int n = a->label_bytes;
    const uint64_t bits = get_number(a->y + i * n, n);
    if (a->label_signed && bits >> (8 * n - 1) != 0) /* -1 - what the other bits lack */
        return -1 - (int64_t)(~bits & (UINT64_MAX >> (64 - 8 * n)));
    return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
}

bool source_add_arrays(Source *s, const Arrays *a)
{
    bool good = find_shape(s, a);
    if (!good)
        rnct_problem(s->problems, s->data->path,
                     "the pictures have %d axes%s: [n][height][width][channels] are read, "
                     "[n][channels][height][width] and [n][height][width]",
                     a->rank, a->rank == 4 ? " and no 1, 3 or 4 channels" : "");
    if (a->rank >= 3 && a->n_labels != a->dims[0])
        good = rnct_problem(s->problems, s->data->path,
                            "has %" PRId64 " pictures and %" PRId64 " labels", a->dims[0],
                            a->n_labels);
    if (!good)
        return false;
    const size_t bytes = (size_t)s->h * (size_t)s->w * (size_t)s->c;
    s->in_memory = s->numbers = true;
    for (int64_t i = 0; i < a->n_labels; i++) {
        if (!source_add_pixels(s, a->x + (size_t)i * bytes, label_of(a, i)))
            return false;
    }
    return true;
}
