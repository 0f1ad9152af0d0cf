/* hash.c: the hash of everything that the layout of the packed weights depends on,
 * by which a program and its weights file know each other. */
#include "plan/plan_parts.h"

#include <string.h>

/* A number, byte by byte from the low end, so that hosts agree. */
static void hash_number(uint64_t *hash, int64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> 8 * i);
    *hash = hash_bytes(*hash, bytes, sizeof bytes);
}

/* The numbers of a shape that decide how its weights are packed. */
static void hash_shape(uint64_t *hash, const Step *step)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_conv: {
        const int numbers[] = {c->kernel_h, c->kernel_w, c->groups,  c->in_c,
                               c->out_c,    c->panel,    c->winograd};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            hash_number(hash, numbers[i]);
        break;
    }
    case FAMILY_dense:
        hash_number(hash, d->in_c);
        hash_number(hash, d->out_c);
        hash_number(hash, d->panel);
        break;
    default: /* scale and shift: their bytes say all */
        break;
    }
}

void find_hash(Plan *plan)
{
    uint64_t hash = HASH_START;
    hash_number(&hash, 1); /* version of the packings */
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (!step->weights)
            continue;
        hash = hash_bytes(hash, step->weights->name, strlen(step->weights->name) + 1);
        const char *kernel = kernel_rows[step->kernel].name;
        hash = hash_bytes(hash, kernel, strlen(kernel) + 1);
        hash_number(&hash, step->weights->packing);
        hash_number(&hash, step->weights->offset);
        hash_number(&hash, step->weights->bytes);
        hash_shape(&hash, step);
    }
    plan->hash = hash;
}
