/* progress.c: see progress.h. */
#define _POSIX_C_SOURCE 200809L
#include "train/progress.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

enum { BAR = 20, LINE_BYTES = 512 };
static const double between_lines = 0.1, between_rows = 10, between_marks = 0.1;

double rnct_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void rnct_duration(double seconds, char *to)
{
    const double most = 359999; /* 99:59:59 */
    const long s = lround(seconds < 0 ? 0 : seconds > most ? most : seconds);
    if (s < 60)
        snprintf(to, 24, "%ld s", s);
    else if (s < 3600)
        snprintf(to, 24, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(to, 24, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static void mark(rnct_progress *p, uint64_t step, double now)
{
    const unsigned i = p->n_marks++ % RNCT_PROGRESS_MARKS;
    p->marks[i].time = now;
    p->marks[i].step = step;
    p->marks[i].images = p->images;
}

void rnct_progress_begin(rnct_progress *p, FILE *to, const rnct_terminal *terminal, uint64_t first,
                         uint64_t steps, uint32_t epochs, double now)
{
    *p = (rnct_progress){.to = to, .terminal = *terminal, .steps = steps, .epochs = epochs};
    p->shown = now - between_rows + 1; /* the first row comes after a second */
    mark(p, first, now);
}

/* The bar: a part of BAR places. */
static size_t put_bar(const rnct_progress *p, char *line, double part)
{
    const bool unicode = p->terminal.unicode && p->terminal.is_terminal;
    const int done = (int)floor(part * BAR);
    size_t n = 0;
    for (int i = 0; i < BAR; i++)
        n += (size_t)snprintf(line + n, LINE_BYTES - n, "%s",
                              unicode    ? i < done ? "\xe2\x96\x88" : "\xe2\x96\x91"
                              : i < done ? "#"
                                         : ".");
    return n;
}

static void put_line(const rnct_progress *p, const rnct_standing *s, double now, char *line)
{
    const unsigned oldest = p->n_marks < RNCT_PROGRESS_MARKS ? 0 : p->n_marks % RNCT_PROGRESS_MARKS;
    const double time = now - p->marks[oldest].time;
    const uint64_t steps = s->step - p->marks[oldest].step;
    const double part = p->steps ? (double)s->step / (double)p->steps : 1;
    char left[24];
    int n = snprintf(line, LINE_BYTES, "epoch %" PRIu32 "/%" PRIu32 " ", s->epoch + 1, p->epochs);
    n += (int)put_bar(p, line + n, part < 1 ? part : 1);
    n += snprintf(line + n, LINE_BYTES - (size_t)n, " %3.0f %%", floor(100 * part));
    if (time > 0 && steps > 0) {
        const uint64_t more = p->steps > s->step ? p->steps - s->step : 0;
        rnct_duration((double)more * time / (double)steps, left);
        const double speed = (double)(p->images - p->marks[oldest].images) / time;
        n += snprintf(line + n, LINE_BYTES - (size_t)n, "  %.0f images/s", speed);
        if (p->peak > 0)
            n += snprintf(line + n, LINE_BYTES - (size_t)n, " (%.0f %% of the peak)",
                          100 * speed / p->peak);
        n += snprintf(line + n, LINE_BYTES - (size_t)n, "  %s left", left);
    }
    if (!isnan(s->loss))
        n += snprintf(line + n, LINE_BYTES - (size_t)n, "  loss %.4f", s->loss);
    if (!isnan(s->accuracy))
        snprintf(line + n, LINE_BYTES - (size_t)n, "  accuracy %.1f %%", 100 * s->accuracy);
}

/* Cuts UTF-8 text to so many characters. */
static void cut(char *text, int characters)
{
    for (; *text; text++) {
        if (((unsigned char)*text & 0xc0) != 0x80 && characters-- == 0) {
            *text = '\0';
            return;
        }
    }
}

void rnct_progress_step(rnct_progress *p, const rnct_standing *s, double now)
{
    char line[LINE_BYTES];
    const double last = p->marks[(p->n_marks - 1) % RNCT_PROGRESS_MARKS].time;
    p->images += s->images;
    if (now - p->shown >= (p->terminal.is_terminal ? between_lines : between_rows) ||
        s->step == p->steps) {
        put_line(p, s, now, line);
        if (p->terminal.is_terminal)
            cut(line, p->terminal.width - 1);
        fprintf(p->to, p->terminal.is_terminal ? "\r%s\x1b[K" : "%s\n", line);
        fflush(p->to);
        p->shown = now;
        p->open = p->terminal.is_terminal;
    }
    if (now - last >= between_marks)
        mark(p, s->step, now);
}

void rnct_progress_end(rnct_progress *p)
{
    if (p->open)
        fputc('\n', p->to);
    p->open = false;
    fflush(p->to);
}
