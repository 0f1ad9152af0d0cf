/* summary.h: a network as a table: its layers, what they hold and cost, what it needs. */
#ifndef RNC_SUMMARY_H
#define RNC_SUMMARY_H

#include "compile.h"

/* The table, at most SUMMARY_WIDTH wide but for names that are longer.  `compiled` has a
 * plan; `src` has the places of its layers.  Unless `expand`, of blocks that are alike the
 * first stands for all. */
enum { SUMMARY_WIDTH = 100 };
void summary_text(Buf *out, const Compiled *compiled, const SrcMap *src, bool expand, Arena *arena);
/* All layers, groups and figures.  False when memory ran out in the JSON library. */
bool summary_json(Buf *out, const Compiled *compiled, const SrcMap *src, Arena *arena);
/* What both of these JSONs say of a network as a whole: an object of jansson's, the
 * caller's, or NULL. */
struct json_t *summary_head(const Compiled *compiled);

/* compare.c: two designs side by side: what they hold, cost and need, and where. */
void compare_text(Buf *out, const Compiled *a, const Compiled *b, Arena *arena);
bool compare_json(Buf *out, const Compiled *a, const Compiled *b, Arena *arena);

#endif
