/* sanitized.c: steps and evaluations of an emitted training, INFO, for sanitizers (tests/steps.sh):
 * of whole batches and smaller ones, on one thread and on two, in memory of exactly the sizes that
 * it says. */
#include "rnctrain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const rnc_train_info INFO;

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, bytes);
    if (!p)
        exit(2);
    memset(p, 0, bytes);
    return p;
}

/* The numbers of a whole batch: noise, or classes.  The caller frees them. */
static void *draw(const rnc_port_info *p)
{
    const size_t n = (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
    float *floats = malloc(n * sizeof *floats);
    int32_t *numbers = malloc(n * sizeof *numbers);
    unsigned char *bytes = malloc(n);
    if (!floats || !numbers || !bytes)
        exit(2);
    for (size_t i = 0; i < n; i++) {
        floats[i] = (float)(rand() % 2001 - 1000) / 1000.0f;
        numbers[i] = rand() % 3 - (i % 5 == 4); /* one of no class */
        bytes[i] = (unsigned char)(rand() % 256);
    }
    void *const by_elem[] = {floats, numbers, bytes};
    const int mine = p->elem == RNC_ELEM_F32 ? 0 : p->elem == RNC_ELEM_I32 ? 1 : 2;
    for (int i = 0; i < 3; i++) {
        if (i != mine)
            free(by_elem[i]);
    }
    return by_elem[mine];
}

int main(void)
{
    void *state = memory(INFO.state_bytes), *arena = memory(INFO.arena_bytes);
    void *net = malloc(INFO.engine_bytes), *inputs[8];
    rnc_pool *pool = NULL;
    rnc_metrics m;
    for (int i = 0; i < INFO.n_inputs; i++)
        inputs[i] = draw(&INFO.inputs[i]);
    for (int threads = 1; threads <= 2; threads++) {
        if ((threads > 1 && rnc_pool_new(&pool, threads)) ||
            INFO.init(net, state, INFO.state_bytes, arena, INFO.arena_bytes, pool, NULL) ||
            INFO.initialise(net, 1))
            return 1;
        for (int images = INFO.inputs[0].n; images > 0; images--) {
            if (INFO.step(net, (const void *const *)inputs, images, 1e-3, &m) || m.bad >= 0 ||
                INFO.evaluate(net, (const void *const *)inputs, images, NULL, &m) ||
                !isfinite(m.loss))
                return 1;
        }
    }
    printf("loss %g\n", m.loss);
    rnc_pool_free(pool);
    for (int i = 0; i < INFO.n_inputs; i++)
        free(inputs[i]);
    free(net);
    free(arena);
    free(state);
    return 0;
}
