/* import.h: model files of other tools, read by content. */
#ifndef RNC_IMPORT_H
#define RNC_IMPORT_H

#include "import/imported.h"

/* Whether a file is a model that import_model() reads, by its content; false also if it cannot be
 * read.  A .net file is none. */
bool import_is_model(const char *path);

/* Says that a file of bytes is no model: that it has weights alone, or what rnc reads. */
void import_refuse(const char *path, Arena *arena, Diag *d);

/* Reads the model, its values included.  False after messages; then as well, imported_close()
 * closes what was opened. */
bool import_model(Imported *to, const char *path, SrcMap *src, Diag *d);

#endif
