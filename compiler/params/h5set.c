/* h5set.c: what a dataset of an HDF5 file is, and its numbers.
 *
 * No extent is believed: a dataset may be as large as its bytes in the file can
 * unpack to, and not larger.
 */
#define H5_USE_110_API
#include "params/h5set.h"

enum { DEFLATE_MOST = 1032 /* bytes that one of deflate can become (RFC 1951) */ };

/* ---- element types ---- */

/* Whether a floating-point type has its bits as IEEE 754 binary16 or bfloat16 have. */
static bool has_fields(hid_t type, size_t exponent_bits, size_t fraction_bits, size_t bias)
{
    size_t sign, exponent, n_exponent, fraction, n_fraction;
    return H5Tget_size(type) == 2 &&
           H5Tget_fields(type, &sign, &exponent, &n_exponent, &fraction, &n_fraction) >= 0 &&
           sign == 15 && fraction == 0 && exponent == fraction_bits &&
           n_exponent == exponent_bits && n_fraction == fraction_bits && H5Tget_ebias(type) == bias;
}

static bool equal(hid_t a, hid_t b)
{
    return H5Tequal(a, b) > 0;
}

static void name_type(H5Set *set, StoredElem elem, const char *name)
{
    set->elem = elem;
    set->elem_name = name;
}

static const char *read_type(H5Set *set, hid_t type)
{
    const H5T_class_t kind = H5Tget_class(type);
    if (equal(type, H5T_IEEE_F32LE) || equal(type, H5T_IEEE_F32BE))
        name_type(set, STORED_F32, "F32");
    else if (equal(type, H5T_IEEE_F64LE) || equal(type, H5T_IEEE_F64BE))
        name_type(set, STORED_F64, "F64");
    else if (kind == H5T_FLOAT && has_fields(type, 5, 10, 15))
        name_type(set, STORED_F16, "F16");
    else if (kind == H5T_FLOAT && has_fields(type, 8, 7, 127))
        name_type(set, STORED_BF16, "BF16");
    else
        name_type(set, STORED_OTHER,
                  kind == H5T_INTEGER  ? "integer"
                  : kind == H5T_STRING ? "text"
                  : kind == H5T_ENUM   ? "enumeration"
                                       : "another kind");
    return kind == H5T_NO_CLASS ? "its type is damaged" : NULL;
}

/* ---- extents ---- */

/* dims, and size with `bytes` a number. */
static const char *read_extents(H5Set *set, hid_t space, size_t bytes)
{
    hsize_t dims[H5S_MAX_RANK];
    int64_t n;
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL)
        return "it has no extents";
    if (rank > 8)
        return "it has more than 8 dimensions";
    if (H5Sget_simple_extent_dims(space, dims, NULL) != rank)
        return "its extents are damaged";
    set->rank = rank;
    for (int i = 0; i < rank; i++) {
        if (dims[i] > INT64_MAX)
            return "its extents overflow";
        set->dims[i] = (int64_t)dims[i];
    }
    if (!tensor_elements(set->dims, rank, &n) || bytes == 0 ||
        (uint64_t)n > (uint64_t)INT64_MAX / bytes)
        return "its extents overflow";
    set->size = (size_t)n * bytes;
    return NULL;
}

/* ---- storage ---- */

static const char *refuse_filter(H5Set *set, H5Z_filter_t filter)
{
    set->way_out = "h5repack -f NONE OLD.h5 NEW.h5 writes it without, if it knows how";
    switch (filter) {
    case H5Z_FILTER_DEFLATE:
    case H5Z_FILTER_SHUFFLE:
    case H5Z_FILTER_FLETCHER32:
        return "this libhdf5 was built without the filter of its data";
    case H5Z_FILTER_SZIP:
        return "it is compressed by szip, and rnc reads what deflate compressed";
    case 32000:
        return "it is compressed by LZF, and rnc reads what deflate compressed";
    case 32001:
        return "it is compressed by Blosc, and rnc reads what deflate compressed";
    case 32015:
        return "it is compressed by Zstandard, and rnc reads what deflate compressed";
    default:
        return "it is packed by a filter that rnc does not know";
    }
}

/* *most becomes how many bytes of numbers one byte of the file can be. */
static const char *check_filters(H5Set *set, hid_t plist, size_t *most)
{
    const int n = H5Pget_nfilters(plist);
    *most = 1;
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        const H5Z_filter_t f =
            H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (f < 0)
            return "its filters are damaged";
        const bool known =
            f == H5Z_FILTER_DEFLATE || f == H5Z_FILTER_SHUFFLE || f == H5Z_FILTER_FLETCHER32;
        if (!known || H5Zfilter_avail(f) <= 0)
            return refuse_filter(set, f);
        if (f == H5Z_FILTER_DEFLATE)
            *most = DEFLATE_MOST;
    }
    return n < 0 ? "its filters are damaged" : NULL;
}

/* Numbers in a row, where they are in the file. */
static const char *check_contiguous(H5Set *set, hid_t id, size_t file_size, bool little)
{
    const haddr_t at = H5Dget_offset(id);
    if (at == HADDR_UNDEF)
        return "nothing was ever written to it";
    if (at > file_size || set->size > file_size - at)
        return "the file is cut off";
    set->offset = little ? (size_t)at : 0;
    return NULL;
}

static const char *check_storage(H5Set *set, hid_t id, hid_t plist, size_t file_size, bool little)
{
    size_t most;
    const H5D_layout_t layout = H5Pget_layout(plist);
    if (H5Pget_external_count(plist) != 0)
        return "its data is in another file";
    if (layout == H5D_VIRTUAL)
        return "its data is put together from other datasets";
    if (set->size == 0)
        return NULL;
    if (layout == H5D_CONTIGUOUS)
        return check_contiguous(set, id, file_size, little);
    if (layout != H5D_CHUNKED && layout != H5D_COMPACT)
        return "its layout is damaged";
    const char *why = check_filters(set, plist, &most);
    const hsize_t stored = H5Dget_storage_size(id);
    if (!why && (stored > file_size || set->size / most > stored))
        return "it claims to be larger than its bytes can unpack to";
    return why;
}

const char *h5_set_read(H5Set *set, hid_t id, size_t file_size)
{
    *set = (H5Set){0};
    const hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    const hid_t plist = H5Dget_create_plist(id);
    const char *why = "its description is damaged";
    if (type >= 0 && space >= 0 && plist >= 0) {
        why = read_type(set, type);
        if (!why)
            why = read_extents(set, space, H5Tget_size(type));
        if (!why)
            why = check_storage(set, id, plist, file_size, H5Tget_order(type) == H5T_ORDER_LE);
    }
    if (plist >= 0)
        H5Pclose(plist);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return why;
}

bool h5_set_load(hid_t id, unsigned char *to)
{
    const hid_t type = H5Dget_type(id), memory = type < 0 ? type : H5Tcopy(type);
    const bool good = memory >= 0 && H5Tset_order(memory, H5T_ORDER_LE) >= 0 &&
                      H5Dread(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0;
    if (memory >= 0)
        H5Tclose(memory);
    if (type >= 0)
        H5Tclose(type);
    return good;
}
