/* import_parts.h: what readers.def promises; private to import/. */
#ifndef RNC_IMPORT_PARTS_H
#define RNC_IMPORT_PARTS_H

#include "import/builder.h"

/* <id>_is() says whether it reads the file, by its first bytes and, where these say nothing, by
 * its name; it gives no messages.
 *
 * <id>_import() fills to->net, to->format and what else it knows.  Returns false after messages.
 * Whatever it opens further goes through imported_map() and imported_tensors(). */
#define READER(id, what)              \
    bool id##_is(const Opened *file); \
    bool id##_import(Imported *to, const Opened *file, SrcMap *src, Diag *d);
#include "import/readers.def"

/* What a file's name leaves for the network's: "models/my-net.onnx" is "my_net". */
const char *import_net_name(const char *path, Arena *arena);

#endif
