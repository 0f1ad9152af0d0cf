/* unity.c: two networks in one translation unit, or with -DSEPARATE their headers alone; prints
 * what they compute. */
#ifdef SEPARATE
#include "first.h"
#include "second.h"
#else
#include "first.c"
#include "second.c"
#endif

#include <stdio.h>

enum { ALIGN = 64 };

static unsigned char arena1[FIRST_ARENA_BYTES + ALIGN], arena2[SECOND_ARENA_BYTES + ALIGN];
static unsigned char image[FIRST_IMAGE_ELEMENTS];
static float middle[FIRST_MIDDLE_ELEMENTS], scores[FIRST_SCORES_ELEMENTS];

static unsigned char *aligned(unsigned char *p)
{
    return p + (ALIGN - (uintptr_t)p % ALIGN) % ALIGN;
}

static void print(const char *what, const float *x, int n)
{
    printf("%s", what);
    for (int i = 0; i < n; i++)
        printf(" %a", (double)x[i]);
    printf("\n");
}

int main(void)
{
    rnc_weights w1, w2;
    first net1;
    second net2;
    rnc_status status;
    for (int i = 0; i < FIRST_IMAGE_ELEMENTS; i++)
        image[i] = (unsigned char)(i * 7);
    status = rnc_weights_memory(&w1, first_weights, FIRST_WEIGHTS_BYTES);
    if (!status)
        status = rnc_weights_memory(&w2, second_weights, SECOND_WEIGHTS_BYTES);
    if (!status)
        status = first_init(&net1, &w1, aligned(arena1), FIRST_ARENA_BYTES, NULL);
    if (!status)
        status = second_init(&net2, &w2, aligned(arena2), SECOND_ARENA_BYTES, NULL);
    if (status) {
        printf("%s\n", rnc_status_text(status));
        return 1;
    }
    first_run(&net1, image, middle, scores);
    print("first", scores, FIRST_SCORES_ELEMENTS);
    print("middle", middle, FIRST_MIDDLE_ELEMENTS);
    second_run(&net2, image, scores);
    print("second", scores, SECOND_SCORES_ELEMENTS);
    printf("%s %s %d\n", first_scores_label(3), first_scores_label(4) ? "?" : "-",
           second_info.outputs[0].n_labels);
    return 0;
}
