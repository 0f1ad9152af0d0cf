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

/* Where the arena is fullest: at that step, and the largest tensor there (NULL: none). */
typedef struct Limit {
    const char *layer, *tensor;
    int64_t bytes; /* of the tensor, without halo */
} Limit;
Limit report_limit(const Plan *plan);
#endif
