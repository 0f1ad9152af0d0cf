/* outputs.c: prints what one network, in a single file with its weights, computes from
 * numbers that are the same on every machine: -DNET_INFO=... -DNET_HEADER=... as drive.c,
 * -DEMBEDDED and -DEMBEDDED_BYTES the array of weights.
 *
 *   outputs [ISA]     a number of rnc_isa; without it the best
 */
#include NET_HEADER

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_PORTS = 8 };

static size_t elements(const rnc_port_info *p)
{
    return (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
}

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p)
        exit(1);
    return p;
}

static void fill(const rnc_port_info *p, void *to)
{
    uint32_t x = 12345;
    for (size_t i = 0; i < elements(p); i++) {
        x = x * 1664525u + 1013904223u;
        if (p->elem == RNC_ELEM_U8)
            ((unsigned char *)to)[i] = (unsigned char)(x >> 24);
        else
            ((float *)to)[i] = (float)(x >> 8) / 8388608.0f - 1.0f;
    }
}

int main(int argc, char **argv)
{
    const rnc_net_info *info = &NET_INFO;
    const rnc_isa isa = argc > 1 ? (rnc_isa)atoi(argv[1]) : RNC_ISA_BEST;
    const void *in[MOST_PORTS];
    void *out[MOST_PORTS], *net = memory(info->engine_bytes), *arena = memory(info->arena_bytes);
    rnc_weights w;
    if (rnc_weights_memory(&w, EMBEDDED, EMBEDDED_BYTES) ||
        info->init(net, &w, arena, info->arena_bytes, NULL) || info->use(net, isa)) {
        fprintf(stderr, "%s: %s\n", info->name, info->why(net));
        return 1;
    }
    for (int i = 0; i < info->n_inputs; i++) {
        void *to = memory(elements(&info->inputs[i]) * sizeof(float));
        fill(&info->inputs[i], to);
        in[i] = to;
    }
    for (int i = 0; i < info->n_outputs; i++)
        out[i] = memory(elements(&info->outputs[i]) * sizeof(float));
    void *state = memory(info->state_bytes + 64);
    if (info->init_state && info->init_state(net, state, info->state_bytes)) {
        fprintf(stderr, "%s: %s\n", info->name, info->why(net));
        return 1;
    }
    info->run(net, state, in, out);
    for (int i = 0; i < info->n_outputs; i++)
        for (size_t k = 0; k < elements(&info->outputs[i]); k++)
            printf("%.9g\n", (double)((const float *)out[i])[k]);
    return 0;
}
