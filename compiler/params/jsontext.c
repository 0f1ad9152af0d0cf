/* jsontext.c: JSON of weights files and models, with a limit on the memory that it takes. */
#include "params/jsontext.h"

/* Whether the text has so few objects, lists and numbers for its length as descriptions of
 * tensors and of layers have: values take many times the memory of their text. */
static bool is_sparse(const unsigned char *text, size_t n)
{
    enum { SLACK = 64, OBJECT_BYTES = 40, LIST_BYTES = 20, VALUE_BYTES = 6 };
    size_t objects = 0, lists = 0, values = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted) {
            objects += text[i] == '{';
            lists += text[i] == '[';
            values += text[i] == ',';
        }
    }
    return objects <= n / OBJECT_BYTES + SLACK && lists <= n / LIST_BYTES + SLACK &&
           values <= n / VALUE_BYTES + SLACK;
}

json_t *jsontext_object(const char *path, const char *what, const unsigned char *text, size_t n,
                        Diag *diag)
{
    json_error_t error;
    if (n > JSONTEXT_MOST) {
        diag_file_error(diag, path, "the %s of %zu bytes is longer than what rnc reads, %d bytes",
                        what, n, JSONTEXT_MOST);
        return NULL;
    }
    if (!is_sparse(text, n)) {
        diag_file_error(diag, path, "the %s has too many values for one", what);
        return NULL;
    }
    json_t *root = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory) {
        diag_file_error(diag, path, "out of memory: the %s has %zu bytes", what, n);
    } else if (!root) {
        diag_file_error(diag, path, "the %s is not JSON: %s (byte %d)", what, error.text,
                        error.position);
    } else if (!json_is_object(root)) {
        diag_file_error(diag, path, "the %s is not a JSON object", what);
        json_decref(root);
        root = NULL;
    }
    return root;
}
