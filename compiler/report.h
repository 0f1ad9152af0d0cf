/* report.h: what a network is, what was bound to what, what it costs. */
#ifndef RNC_REPORT_H
#define RNC_REPORT_H

#include "compile.h"

void report_text(Buf *out, const Compiled *compiled, Arena *arena);
/* False when memory ran out in the JSON library. */
bool report_json(Buf *out, const Compiled *compiled);

/* What every JSON about a network begins with: its name, figures and ports; jansson's
 * object, the caller's, or NULL. */
struct json_t *report_head(const Compiled *compiled);
/* Prints `root` and lets go of it; false when it is NULL or memory ran out. */
bool report_put_json(Buf *out, struct json_t *root);

/* "5.22 MB": the field's megabytes, 1e6 bytes. */
const char *report_bytes(Arena *arena, int64_t bytes);
/* "4.09 GMAC", "25.6 M parameters" (what: "MAC", " parameters") */
const char *report_count(Arena *arena, int64_t n, const char *what);
/* "53 convolutions, 1 dense layer" */
const char *report_layers(Arena *arena, const Net *net);
/* Where the arena is fullest: at that step, and the largest tensor there (NULL: none). */
typedef struct Limit {
    const char *layer, *tensor;
    int64_t bytes; /* of the tensor, without halo */
} Limit;
Limit report_limit(const Plan *plan);
/* By how many percent bytes are over the bound. */
double report_gap(int64_t bytes, int64_t bound);

#endif
