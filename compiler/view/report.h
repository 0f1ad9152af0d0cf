/* report.h: reports what a network is, what was bound to its parameters, and what it costs. */
#ifndef RNC_REPORT_H
#define RNC_REPORT_H

#include "compile.h"

void report_text(Buf *out, const Compiled *compiled, Arena *arena);
/* False when memory ran out in the JSON library. */
bool report_json(Buf *out, const Compiled *compiled);

/* The beginning of every JSON about a network: its name, figures and ports.  Returns an object of
 * jansson's, which the caller owns, or NULL. */
struct json_t *report_head(const Compiled *compiled);
/* Prints `root` and releases it; returns false if it is NULL or memory ran out. */
bool report_put_json(Buf *out, struct json_t *root);

/* The step at which the arena is fullest, and the largest tensor there (NULL: none). */
typedef struct Limit {
    const char *layer, *tensor;
    int64_t bytes; /* of the tensor without its halo */
} Limit;
Limit report_limit(const Plan *plan);

/* Adds a line or two about the layers that numbers of the inputs keep from faster methods, the
 * first of them and why (plan_why_kept()); none if there are none. */
void report_kept(Buf *out, const Plan *plan, Arena *arena);
/* Likewise for programs: [{"layer": ..., "why": ...}], all of them. */
struct json_t *report_kept_json(const Plan *plan);
/* What a step of training could compute again to need less memory; nothing if nobody asked. */
void report_memory(Buf *out, const MemoryReport *report, Arena *arena);

#endif
