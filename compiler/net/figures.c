/* figures.c: numbers for people. */
#include "net/figures.h"

const char *figure_bytes(Arena *arena, int64_t bytes)
{
    if (bytes < 10000)
        return arena_printf(arena, "%lld bytes", (long long)bytes);
    return bytes < 1000000 ? arena_printf(arena, "%.1f KB", (double)bytes / 1e3)
                           : arena_printf(arena, "%.2f MB", (double)bytes / 1e6);
}

const char *figure_count(Arena *arena, int64_t n, const char *what)
{
    static const struct {
        double unit;
        char letter;
    } units[] = {{1e12, 'T'}, {1e9, 'G'}, {1e6, 'M'}, {1e3, 'k'}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const double x = (double)n / units[i].unit;
        if (x >= 1)
            return arena_printf(arena, "%.*f %c%s", x < 10 ? 2 : 1, x, units[i].letter, what);
    }
    return arena_printf(arena, "%lld%s%s", (long long)n, *what == ' ' ? "" : " ", what);
}

const char *figure_layers(Arena *arena, const Net *net)
{
    int convs = 0, denses = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        convs += net->nodes.at[i]->op == OP_CONV;
        denses += net->nodes.at[i]->op == OP_DENSE;
    }
    return arena_printf(arena, "%d convolution%s, %d dense layer%s", convs, convs == 1 ? "" : "s",
                        denses, denses == 1 ? "" : "s");
}

double figure_gap(int64_t bytes, int64_t bound)
{
    return bound > 0 ? 100.0 * ((double)bytes / (double)bound - 1) : 0;
}
