/* doc.h: the operators' table as a manual. */
#ifndef RNC_DOC_H
#define RNC_DOC_H

#include "base/str.h"

/* Markdown, a section an operator: docs/language.md's part on operators. */
void doc_operators(Buf *out);

#endif
