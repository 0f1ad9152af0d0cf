/* identifiers.h: names that C and C++ take, from names that people gave. */
#ifndef RNC_IDENTIFIERS_H
#define RNC_IDENTIFIERS_H

#include "base/arena.h"

#include <stdbool.h>

/* An identifier from any text: other characters become '_'; where the result
 * would begin with a digit, or means something to C, C++ or the runtime already
 * (a keyword, `memcpy`, `rnc_...`), `prefix` is put in front ("net_", "port_"). */
char *c_identifier(Arena *arena, const char *text, const char *prefix);
/* Every character that C does not take as '_': the middle or the end of an identifier. */
char *c_letters(Arena *arena, const char *text);
/* Is STEM.h a header that C or its libraries have? */
bool is_header_name(const char *stem);
/* The same letters in capitals. */
char *c_upper(Arena *arena, const char *text);

#endif
