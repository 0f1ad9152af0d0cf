/* state.c: writes the state that an emitted training, INFO, has after some steps of whole batches
 * and smaller ones to standard output: trainings that must compute the same bits are compared by it
 * (tests/steps.sh). */
#include "memory.h"
#include "rnctrain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const rnc_train_info INFO;

enum { STEPS = 3 };

/* A whole batch: noise, or classes 0 to 2. */
static void *draw(const rnc_port_info *p)
{
    const size_t n = (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
    float *floats = memory(n * sizeof *floats, 0);
    int32_t *numbers = (int32_t *)(void *)floats;
    for (size_t i = 0; i < n; i++) {
        if (p->elem == RNC_ELEM_F32)
            floats[i] = (float)(rand() % 2001 - 1000) / 1000.0f;
        else
            numbers[i] = rand() % 3;
    }
    return floats;
}

int main(void)
{
    void *state = memory(INFO.state_bytes, 0), *arena = memory(INFO.arena_bytes, 0xff);
    void *net = memory(INFO.engine_bytes, 0);
    rnc_metrics m;
    if (INFO.init(net, state, INFO.state_bytes, arena, INFO.arena_bytes, NULL, NULL) ||
        INFO.initialise(net, 1))
        return 1;
    for (int i = 0; i < STEPS; i++) {
        void *inputs[8];
        for (int k = 0; k < INFO.n_inputs; k++)
            inputs[k] = draw(&INFO.inputs[k]);
        if (INFO.step(net, (const void *const *)inputs, INFO.inputs[0].n - i, 0.05, &m) ||
            m.bad >= 0)
            return 1;
    }
    fprintf(stderr, "arena %zu loss %g\n", INFO.arena_bytes, m.loss);
    return fwrite(state, 1, INFO.state_bytes, stdout) == INFO.state_bytes ? 0 : 1;
}
