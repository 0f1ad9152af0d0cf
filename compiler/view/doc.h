/* doc.h: the tables of operators and of other frameworks' names as a manual. */
#ifndef RNC_DOC_H
#define RNC_DOC_H

#include "base/str.h"

/* Markdown, a section for each operator, then what other frameworks call them: the end of
 * docs/language.md. */
void doc_manual(Buf *out);

#endif
