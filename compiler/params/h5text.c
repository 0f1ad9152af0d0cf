/* h5text.c: see h5text.h.  Keras writes texts of any length, and of a fixed one before 2.3. */
#define H5_USE_110_API
#include "params/h5text.h"

#include <string.h>

static size_t copy(const char *text, size_t n, char *to, size_t size)
{
    if (n >= size)
        return n;
    memcpy(to, text, n);
    to[n] = '\0';
    return n;
}

static size_t read_variable(hid_t id, hid_t type, char *to, size_t size)
{
    char *text = NULL;
    size_t n = 0;
    const hid_t memory = H5Tcopy(H5T_C_S1);
    if (memory >= 0 && H5Tset_size(memory, H5T_VARIABLE) >= 0 &&
        H5Tset_cset(memory, H5Tget_cset(type)) >= 0 && H5Aread(id, memory, &text) >= 0 && text) {
        n = copy(text, strlen(text), to, size);
        H5free_memory(text);
    }
    if (memory >= 0)
        H5Tclose(memory);
    return n;
}

static size_t read_fixed(hid_t id, hid_t type, char *to, size_t size)
{
    const size_t most = H5Tget_size(type);
    char *text = H5allocate_memory(most + 1, true);
    size_t n = 0;
    if (text && H5Aread(id, type, text) >= 0)
        n = copy(text, strnlen(text, most), to, size);
    if (text)
        H5free_memory(text);
    return n;
}

size_t h5_text(hid_t object, const char *name, char *to, size_t size)
{
    size_t n = 0;
    if (size)
        to[0] = '\0';
    if (H5Aexists(object, name) <= 0)
        return 0;
    const hid_t id = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = id < 0 ? id : H5Aget_type(id), space = id < 0 ? id : H5Aget_space(id);
    if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
        H5Sget_simple_extent_npoints(space) == 1)
        n = H5Tis_variable_str(type) > 0 ? read_variable(id, type, to, size)
                                         : read_fixed(id, type, to, size);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (id >= 0)
        H5Aclose(id);
    return n;
}
