/* machine.c: machines as rows, and their numbers as text. */
#include "plan/machine.h"

#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const Machine machine_rows[MACHINE_COUNT] = {
#define MACHINE(id, name, avx512, avx2, neon, portable, scalar, l1, l2, l3, memory, streams, \
                l1_kb, l2_kb, l3_kb, cores, together, all, doc)                              \
    {name,    {avx512, avx2, neon, portable, scalar},                                        \
     l1,      l2,                                                                            \
     l3,      memory,                                                                        \
     streams, l1_kb,                                                                         \
     l2_kb,   l3_kb,                                                                         \
     cores,   together,                                                                      \
     all,     doc},
#include "plan/machine.def"
};

/* The word of a number in the text, its member in Machine, and the values that it may have. */
typedef struct Number {
    const char *word;
    size_t offset;
    double low, high;
} Number;

static const Number numbers[] = {
#define ISA(id, lanes, guard, doc) {#id, offsetof(Machine, gflops[ISA_##id]), 0.0, 1e5},
#include "kernels/isa/isa.def"
    {"l1", offsetof(Machine, l1), 0.1, 1e5},
    {"l2", offsetof(Machine, l2), 0.1, 1e5},
    {"l3", offsetof(Machine, l3), 0.1, 1e5},
    {"memory", offsetof(Machine, memory), 0.1, 1e5},
    {"streams", offsetof(Machine, streams), 0.1, 1e5},
    {"l1-kb", offsetof(Machine, l1_kb), 1.0, 1e8},
    {"l2-kb", offsetof(Machine, l2_kb), 1.0, 1e8},
    {"l3-kb", offsetof(Machine, l3_kb), 1.0, 1e8},
    {"cores", offsetof(Machine, cores), 1.0, 1e5},
    {"together", offsetof(Machine, together), 0.01, 2.0},
    {"all", offsetof(Machine, all), 0.1, 1e6},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static double *number_of(Machine *machine, const Number *number)
{
    return (double *)(void *)((char *)machine + number->offset);
}

Isa machine_isa(const Machine *machine, unsigned isas)
{
    int best = -1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((isas >> i & 1) && (best < 0 || machine->gflops[i] >= machine->gflops[best]))
            best = i;
    }
    return best < 0 ? ISA_scalar : (Isa)best;
}

double machine_gflops(const Machine *machine, unsigned isas)
{
    double most = machine->gflops[machine_isa(machine, isas)];
    /* The machine cannot run this code: assume that it is as fast as the code that it can run. */
    for (int i = 0; i < ISA_COUNT && most == 0.0; i++)
        most = machine->gflops[i];
    return most;
}

const char *machine_text(const Machine *machine, Arena *arena)
{
    Buf out = buf_new(arena);
    Machine copy = *machine;
    for (int i = 0; i < NUMBERS; i++)
        buf_printf(&out, "%s%s=%.6g", i ? "," : "", numbers[i].word,
                   *number_of(&copy, &numbers[i]));
    return buf_text(&out);
}

/* Reads "WORD=VALUE" and sets that number. */
static bool read_item(const char *item, Machine *machine, Arena *arena, const char **why)
{
    const size_t n = strcspn(item, "=");
    for (int i = 0; i < NUMBERS; i++) {
        const Number *number = &numbers[i];
        if (strlen(number->word) != n || strncmp(item, number->word, n) != 0 || item[n] != '=')
            continue;
        char *end;
        const double value = strtod(item + n + 1, &end);
        *why = arena_printf(arena, "%s is from %g to %g", number->word, number->low, number->high);
        if (end == item + n + 1 || *end || !(value >= number->low && value <= number->high))
            return false;
        *number_of(machine, number) = value;
        return true;
    }
    Buf words = buf_new(arena);
    for (int i = 0; i < NUMBERS; i++)
        buf_printf(&words, "%s%s",
                   i == 0             ? ""
                   : i + 1 == NUMBERS ? " and "
                                      : ", ",
                   numbers[i].word);
    *why = arena_printf(arena, "the numbers of a machine are %s", buf_text(&words));
    return false;
}

bool machine_read(const char *text, Machine *machine, Arena *arena, const char **word,
                  const char **why)
{
    for (const char *at = text;;) {
        const size_t n = strcspn(at, ",");
        *word = arena_strndup(arena, at, n);
        if (!read_item(*word, machine, arena, why))
            return false;
        at += n;
        if (!*at)
            break;
        at++;
    }
    machine->name = machine_text(machine, arena);
    machine->doc = "numbers given";
    return true;
}
