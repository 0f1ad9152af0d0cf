/* summary.h: a network as a table: its layers, what they hold and cost, and what it needs. */
#ifndef RNC_SUMMARY_H
#define RNC_SUMMARY_H

#include "compile.h"

/* Prints the table, at most SUMMARY_WIDTH wide unless a name is longer.  `compiled` must have a
 * plan; `src` has the places of its layers.  Unless `expand` is true, the first of several blocks
 * that are alike stands for all of them. */
enum { SUMMARY_WIDTH = 100 };
void summary_text(Buf *out, const Compiled *compiled, const SrcMap *src, bool expand, Arena *arena);
/* All layers, groups and figures.  False when memory ran out in the JSON library. */
bool summary_json(Buf *out, const Compiled *compiled, const SrcMap *src, Arena *arena);
/* What both of these JSONs say about a network as a whole: an object of jansson's, which the
 * caller owns, or NULL. */
struct json_t *summary_head(const Compiled *compiled);

/* compare.c: two designs side by side: what they hold, cost and need, and where. */
void compare_text(Buf *out, const Compiled *a, const Compiled *b, Arena *arena);
bool compare_json(Buf *out, const Compiled *a, const Compiled *b, Arena *arena);

#endif
