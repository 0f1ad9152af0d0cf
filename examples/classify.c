/* classify.c: the five best classes of each picture.
 *
 *   classify resnet50.weights [--labels FILE] dog.jpg ... */
#include "engine.h"

#include <stdio.h>
#include <string.h>

static int usage(void)
{
    fputs("usage: classify WEIGHTS [--labels FILE] PICTURE...\n", stderr);
    return 2;
}

static int classify(engine *e, const char *picture, int name_it)
{
    enum { BEST = 5 };
    int top[BEST];
    const int best = e->n < BEST ? e->n : BEST;
    if (engine_classify(e, picture))
        return 1;
    if (name_it)
        printf("%s\n", picture);
    engine_top(e, best, top);
    for (int i = 0; i < best; i++) {
        const double p = (double)engine_scores(e, 0)[top[i]];
        if (e->names[top[i]])
            printf("  %-24s %.4f\n", e->names[top[i]], p);
        else
            printf("  class %-18d %.4f\n", top[i], p);
    }
    return 0;
}

int main(int argc, char **argv)
{
    engine e;
    int failed = 0, first = 2;
    if (argc < 3)
        return usage();
    if (engine_open(&e, argv[1]))
        return 1;
    if (strcmp(argv[2], "--labels") == 0) {
        if (argc < 5) {
            engine_close(&e);
            return usage();
        }
        failed = engine_labels(&e, argv[3]) != 0;
        first = 4;
    }
    for (int i = first; i < argc && (!failed || i > first); i++)
        failed |= classify(&e, argv[i], argc - first > 1);
    engine_close(&e);
    return failed;
}
