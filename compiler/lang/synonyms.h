/* synonyms.h: what other frameworks call operators and attributes (synonyms.def). */
#ifndef RNC_SYNONYMS_H
#define RNC_SYNONYMS_H

#include "base/str.h"

typedef struct Synonym {
    const char *names; /* separated by blanks */
    const char *here;  /* the form in the language, or NULL if there is none */
    const char *note;  /* an additional sentence, or NULL */
} Synonym;

/* The row of a name that other frameworks use; its case, `_` and a 2d at its end do not matter.
 * NULL if it is not known. */
const Synonym *synonym_operator(const char *name, Arena *arena);
const Synonym *synonym_attribute(const char *name, Arena *arena);
/* The rows in order, NULL after the last; for the manual. */
const Synonym *synonym_operator_row(int i);
const Synonym *synonym_attribute_row(int i);

#endif
