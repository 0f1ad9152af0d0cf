/* hash.c: the hash of everything that the layout of the packed weights depends on,
 * by which a program and its weights file know each other. */
#include "plan/plan_parts.h"

#include <string.h>

/* Hashes a number byte by byte from the low end, so that all hosts get the same hash. */
static void hash_number(uint64_t *hash, int64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> 8 * i);
    *hash = hash_bytes(*hash, bytes, sizeof bytes);
}

enum {
    MOST_NUMBERS = 0 /* of all families together, which is more than any one has */
#define PACKS(family, type, name, doc) +1
#include "kernels/shapes.def"
};

/* Writes the numbers of a shape that decide how its weights are packed (PACKS of shapes.def) to
 * `numbers`; returns how many there are. */
static int shape_numbers(const Step *step, int numbers[MOST_NUMBERS])
{
    const ShapeRow *row = &shape_rows[kernel_rows[step->kernel].family];
    int n = 0;
    for (int i = 0; i < row->n; i++) {
        if (row->fields[i].packs)
            memcpy(&numbers[n++], (const char *)&step->shape + row->fields[i].offset, sizeof(int));
    }
    return n;
}

bool packed_alike(const Step *a, const Step *b)
{
    int of_a[MOST_NUMBERS], of_b[MOST_NUMBERS];
    const int n = shape_numbers(a, of_a);
    return a->kernel == b->kernel && a->weights->bytes == packed_bytes(b) &&
           n == shape_numbers(b, of_b) && memcmp(of_a, of_b, (size_t)n * sizeof *of_a) == 0 &&
           a->node->attrs.epsilon <= b->node->attrs.epsilon &&
           a->node->attrs.epsilon >= b->node->attrs.epsilon;
}

void find_hash(Plan *plan)
{
    uint64_t hash = HASH_START;
    hash_number(&hash, 1); /* version of the packings */
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (!step->weights || step->weights->step != i)
            continue;
        hash = hash_bytes(hash, step->weights->name, strlen(step->weights->name) + 1);
        const char *kernel = kernel_rows[step->kernel].name;
        hash = hash_bytes(hash, kernel, strlen(kernel) + 1);
        hash_number(&hash, step->weights->packing);
        hash_number(&hash, step->weights->offset);
        hash_number(&hash, step->weights->bytes);
        int numbers[MOST_NUMBERS];
        const int n = shape_numbers(step, numbers);
        for (int k = 0; k < n; k++)
            hash_number(&hash, numbers[k]);
    }
    plan->hash = hash;
}
