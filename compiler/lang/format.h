/* format.h: the one layout that .net files have: what `rnc fmt` makes of a file, and what a written
 * network goes through.
 *
 * Lines stay where they were broken; what changes is the blanks in them, their indentation, empty
 * lines, and what consecutive lines have in common: the first `;` of lines that begin with the same
 * operator, the arrows of a naming and comments behind code stand in columns.  A line of more than
 * 100 characters is broken after commas in parentheses.  Comments are kept. */
#ifndef RNC_FORMAT_H
#define RNC_FORMAT_H

#include "base/diag.h"

/* Appends the text of a source file, laid out.  Laid-out text is left as it is.  False after
 * messages if it is no .net text. */
bool format_file(Buf *out, Arena *arena, int file, Diag *d);

#endif
