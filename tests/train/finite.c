/* finite.c: what an emitted training, INFO, of finite.net says of numbers that are not finite:
 * which step gave the first, and whether the state has changed (tests/steps.sh). */
#include "memory.h"
#include "rnctrain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const rnc_train_info INFO;

enum { BATCH = 4, PIXELS = 2 * 6 * 6 };

static void *state, *arena, *net;
static float image[BATCH * PIXELS];
static int32_t labels[BATCH] = {0, 1, 2, 1};

/* A training that has just begun, and images between -1 and 1. */
static void begin(void)
{
    if (INFO.init(net, state, INFO.state_bytes, arena, INFO.arena_bytes, NULL, NULL) ||
        INFO.initialise(net, 1))
        exit(2);
    for (int i = 0; i < BATCH * PIXELS; i++)
        image[i] = (float)(i * 37 % 201 - 100) / 100.0f;
}

static int tensor(const char *name)
{
    for (int i = 0; i < INFO.n_tensors; i++) {
        if (strcmp(INFO.tensors[i].name, name) == 0)
            return i;
    }
    exit(2);
}

static size_t floats_of(int i)
{
    size_t n = 1;
    for (int k = 0; k < INFO.tensors[i].rank; k++)
        n *= (size_t)INFO.tensors[i].dims[k];
    return n;
}

static void get(int i, float *to)
{
    if (INFO.get(net, i, to))
        exit(2);
}

static rnc_metrics step(int images)
{
    const void *const inputs[2] = {image, labels};
    rnc_metrics m;
    if (INFO.step(net, inputs, images, INFO.rate, &m))
        exit(2);
    return m;
}

/* A step with three images, where the fourth has no number at all. */
static void say_step(const char *what)
{
    void *before = memory(INFO.state_bytes, 0);
    for (int i = 3 * PIXELS; i < BATCH * PIXELS; i++)
        image[i] = (float)NAN;
    memcpy(before, state, INFO.state_bytes);
    const rnc_metrics m = step(3);
    const int same = memcmp(before, state, INFO.state_bytes) == 0;
    rnc_train_step found = {.layer = "finite", .part = "", .with = ""};
    rnc_train_find_step(&INFO, m.bad, &found);
    printf("%s: %s%s%s, %s%s\n", what, found.layer, *found.part ? "." : found.with, found.part,
           same ? "the same state" : "another state", m.spoiled ? ", spoiled" : "");
}

static void spoil(const char *name)
{
    float floats[4096];
    begin();
    get(tensor(name), floats);
    floats[1] = (float)NAN;
    if (INFO.set(net, tensor(name), floats))
        exit(2);
    say_step(name);
}

/* What plain descent changes parameters by is the gradient. */
static void say_norm(void)
{
    static float before[64][4096], after[4096];
    double sum = 0.0;
    begin();
    for (int i = 0; i < INFO.n_tensors; i++)
        get(i, before[i]);
    const rnc_metrics m = step(BATCH);
    for (int i = 0; i < INFO.n_tensors; i++) {
        get(i, after);
        for (size_t k = 0; INFO.tensors[i].role == RNC_ROLE_PARAMETER && k < floats_of(i); k++)
            sum += pow((double)(before[i][k] - after[k]) / INFO.rate, 2.0);
    }
    printf("norm: %s\n", fabs(m.norm - sqrt(sum)) < 1e-4 * m.norm ? "of the change" : "another");
}

/* Images whose gradient overflows where activations do not. */
static void overflow(void)
{
    const int i = tensor("conv1.weight");
    float floats[4096];
    begin();
    get(i, floats);
    for (size_t k = 0; k < floats_of(i); k++)
        floats[k] *= 1e-30f;
    if (INFO.set(net, i, floats))
        exit(2);
    for (int k = 0; k < BATCH * PIXELS; k++)
        image[k] *= 1e30f;
    say_step("gradient");
}

int main(void)
{
    state = memory(INFO.state_bytes, 0), arena = memory(INFO.arena_bytes, 0xff);
    net = memory(INFO.engine_bytes, 0);
    say_norm();
    begin();
    say_step("nothing");
    spoil("conv1.weight");
    spoil("body1.main.conv2.weight");
    spoil("dense1.bias");
    begin();
    image[5] = (float)INFINITY;
    say_step("input");
    overflow();
    return 0;
}
