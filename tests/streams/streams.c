/* streams.c: models/tcn.net compiled four ways computes the same from a clip of CLIP frames: `clip`
 * without a state, all frames at once; `frame` with one frame in a run, `chunk` with several, and
 * `whole` with all of them.  For each instruction set it prints the largest difference from `clip`.
 * Two streams take turns with one engine, and each has a state of its own.
 */
#include "chunk.h"
#include "clip.h"
#include "frame.h"
#include "whole.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIP = CLIP_SOUND_H,
    CHUNK = CHUNK_SOUND_H,
    FEATURES = CLIP_SOUND_C,
    CLASSES = CLIP_WORDS_C,
    STREAMS = 2
};

static float sounds[STREAMS][FEATURES][CLIP], expected[STREAMS][CLASSES][CLIP];

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "streams: %s\n", what);
        exit(1);
    }
}

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);
    check(p != NULL, "no memory");
    return p;
}

/* A compiled network with its engine, and a state for each stream. */
typedef struct Player {
    const char *name;
    const rnc_net_info *info;
    void *net, *states[STREAMS];
    int rows; /* frames in a run */
} Player;

static Player player(const char *name, const rnc_net_info *info, const unsigned char *weights,
                     size_t bytes)
{
    static rnc_weights w[4];
    static int used;
    Player p = {
        .name = name, .info = info, .net = memory(info->engine_bytes), .rows = info->inputs[0].h};
    void *arena = memory(info->arena_bytes);
    check(rnc_weights_memory(&w[used], weights, bytes) == RNC_OK, w[used].why);
    check(info->init(p.net, &w[used++], arena, info->arena_bytes, NULL) == RNC_OK,
          info->why(p.net));
    for (int k = 0; k < STREAMS; k++)
        p.states[k] = memory(info->state_bytes);
    return p;
}

static void restart(const Player *p)
{
    for (int k = 0; k < STREAMS && p->info->init_state; k++)
        check(p->info->init_state(p->net, p->states[k], p->info->state_bytes) == RNC_OK,
              p->info->why(p->net));
}

/* One run of stream k, of the frames from `first` on; out[class][frame of the run]. */
static void run(const Player *p, int k, int first, float *out)
{
    static float in[FEATURES * CLIP];
    const void *inputs[] = {in};
    void *outputs[] = {out};
    for (int f = 0; f < FEATURES; f++)
        memcpy(in + f * p->rows, &sounds[k][f][first], (size_t)p->rows * sizeof *in);
    p->info->run(p->net, p->states[k], inputs, outputs);
}

/* The largest difference from what is expected, over both streams. */
static double play(const Player *p)
{
    static float out[CLASSES * CLIP];
    double worst = 0;
    restart(p);
    for (int first = 0; first < CLIP; first += p->rows) {
        for (int k = 0; k < STREAMS; k++) {
            run(p, k, first, out);
            for (int c = 0; c < CLASSES; c++)
                for (int t = 0; t < p->rows; t++)
                    worst = fmax(worst, fabs((double)out[c * p->rows + t] -
                                             (double)expected[k][c][first + t]));
        }
    }
    return worst;
}

/* The difference without a past: each frame as the first of a stream. */
static double forget(const Player *p)
{
    static float out[CLASSES * CLIP];
    double worst = 0;
    for (int t = 0; t < CLIP; t++) {
        restart(p);
        run(p, 0, t, out);
        for (int c = 0; c < CLASSES; c++)
            worst = fmax(worst, fabs((double)out[c] - (double)expected[0][c][t]));
    }
    return worst;
}

int main(void)
{
    const Player players[] = {
        player("clip", &clip_info, clip_weights, CLIP_WEIGHTS_BYTES),
        player("frame", &frame_info, frame_weights, FRAME_WEIGHTS_BYTES),
        player("chunk", &chunk_info, chunk_weights, CHUNK_WEIGHTS_BYTES),
        player("whole", &whole_info, whole_weights, WHOLE_WEIGHTS_BYTES),
    };
    uint32_t x = 12345;
    for (int i = 0; i < STREAMS * FEATURES * CLIP; i++) {
        x = x * 1664525u + 1013904223u;
        (&sounds[0][0][0])[i] = (float)(x >> 8) / 8388608.0f - 1.0f;
    }
    check(CLIP % CHUNK == 0 && clip_info.state_bytes == 0, "sizes");
    for (int isa = RNC_ISA_AVX512; isa <= RNC_ISA_SCALAR; isa++) {
        if (clip_info.use(players[0].net, (rnc_isa)isa) != RNC_OK)
            continue;
        for (int k = 0; k < STREAMS; k++)
            run(&players[0], k, 0, &expected[k][0][0]);
        for (int i = 1; i < 4; i++) {
            const Player *p = &players[i];
            check(p->info->use(p->net, (rnc_isa)isa) == RNC_OK, p->info->why(p->net));
            const double worst = play(p);
            printf("%s %s %.1e\n", rnc_isa_name((rnc_isa)isa), p->name, worst);
            check(worst < 1e-6, "a stream differs from the clip");
        }
        check(forget(&players[1]) > 1e-3, "the past makes no difference");
    }
    return 0;
}
