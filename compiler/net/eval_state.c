/* eval_state.c: the oracle's operators that keep values from run to run. */
#include "net/eval_parts.h"

#include "net/state.h"

#include <string.h>

EvalState *eval_state(const Net *net, Arena *arena)
{
    EvalState *state = NEW(arena, EvalState);
    state->kept = NEW_ARRAY(arena, double *, net->nodes.n + 1);
    for (int i = 0; i < net->nodes.n; i++) {
        const int64_t n = state_elements(net->nodes.at[i]);
        if (n > 0)
            state->kept[i] = NEW_ARRAY(arena, double, n);
    }
    return state;
}

/* Copies the oldest of the values that are kept, and keeps the operand after the newest. */
void eval_DELAY(EvalStep *s)
{
    const size_t n = (size_t)type_elements(s->node->type);
    const size_t older = (size_t)(s->node->attrs.frames - 1) * n;
    memcpy(s->out, s->kept, n * sizeof(double));
    memmove(s->kept, s->kept + n, older * sizeof(double));
    memcpy(s->kept + older, s->in[0], n * sizeof(double));
}

/* For each image: the rows that are kept, then the operand's; the last of all these are kept. */
void eval_HISTORY(EvalStep *s)
{
    const Type in = s->node->in[0]->type;
    const size_t row = (size_t)in.w * (size_t)in.c;
    const size_t old = (size_t)s->node->attrs.frames * row, fresh = (size_t)in.h * row;
    for (size_t n = 0; n < (size_t)in.n; n++) {
        double *kept = s->kept + n * old, *out = s->out + n * (old + fresh);
        memcpy(out, kept, old * sizeof(double));
        memcpy(out + old, s->in[0] + n * fresh, fresh * sizeof(double));
        memcpy(kept, out + fresh, old * sizeof(double));
    }
}
