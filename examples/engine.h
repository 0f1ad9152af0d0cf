/* engine.h: a compiled network that takes one picture and gives scores.
 *
 * Which network it is, is decided when the program is compiled:
 * -DNET_INFO=resnet50_info -include resnet50.h */
#ifndef ENGINE_H
#define ENGINE_H

#include <rncrt.h>

typedef struct engine {
    const rnc_net_info *info;
    rnc_weights weights;
    void *net;          /* info->engine_bytes */
    void *arena;        /* info->arena_bytes, aligned to 64 */
    void *input;        /* floats or bytes, as the port says */
    void **outputs;     /* info->n_outputs arrays of floats */
    int n;              /* classes: elements of the first output, for one picture */
    const char **names; /* [n] names of the classes, or NULLs */
    char *names_text;   /* of --labels, or NULL */
} engine;

/* Each says on stderr what is wrong, and then returns -1; else 0. */
int engine_open(engine *e, const char *weights);
int engine_labels(engine *e, const char *path); /* a class name a line */
int engine_classify(engine *e, const char *picture);
/* Of the network's size, [row][pixel][3]. */
void engine_classify_pixels(engine *e, const unsigned char *pixels);

/* Scores of output `port` (0 is the probabilities), after engine_classify. */
const float *engine_scores(const engine *e, int port);
/* The `best` classes of the first output, best first, in top[best]. */
void engine_top(const engine *e, int best, int *top);

void engine_close(engine *e);

#endif
