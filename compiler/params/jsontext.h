/* jsontext.h: JSON of weights files, with a limit on the memory that it takes. */
#ifndef RNC_JSONTEXT_H
#define RNC_JSONTEXT_H

#include "base/diag.h"

#include <jansson.h>

enum { JSONTEXT_MOST = 16 << 20 }; /* bytes of a text */

/* The `n` bytes at `text` as a JSON object, which the caller gives back by json_decref(); NULL
 * after a message.  `what` is what the messages about the file `path` call the text. */
json_t *jsontext_object(const char *path, const char *what, const unsigned char *text, size_t n,
                        Diag *diag);

#endif
