/* synonyms.h: what other frameworks call operators and attributes (synonyms.def). */
#ifndef RNC_SYNONYMS_H
#define RNC_SYNONYMS_H

#include "base/str.h"

typedef struct Synonym {
    const char *names; /* with blanks between them */
    const char *here;  /* the form of the language, or NULL: there is none */
    const char *note;  /* a sentence more, or NULL */
} Synonym;

/* What `name` is elsewhere, whatever its case, its `_` and a 2d at its end; NULL:
 * nothing that is known. */
const Synonym *synonym_operator(const char *name, Arena *arena);
const Synonym *synonym_attribute(const char *name, Arena *arena);
/* The rows in order, NULL after the last; for the manual. */
const Synonym *synonym_operator_row(int i);
const Synonym *synonym_attribute_row(int i);

#endif
