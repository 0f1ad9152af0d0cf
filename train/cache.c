/* cache.c: maps caches (see cache.h). */
#include "train/cache.h"

#include "runtime/rncw.h"
#include "train/bytes.h"
#include "train/cache_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

uint64_t cache_sum(const unsigned char *bytes, size_t size, uint64_t sum)
{
    for (size_t at = 0; at < size; at += CACHE_BLOCK) {
        const size_t n = size - at < CACHE_BLOCK ? size - at : CACHE_BLOCK;
        sum = rncw_hash(bytes + at, n, sum);
    }
    return sum;
}

uint64_t cache_payload(const CacheHead *h, uint64_t *labels, uint64_t *names)
{
    const uint64_t pixels = h->n * h->h * h->w * h->c;
    *labels = CACHE_HEAD_BYTES + (pixels + 63) / 64 * 64;
    *names = *labels + 4 * h->n;
    return *names + h->name_bytes;
}

static void get_head(CacheHead *h, const unsigned char *head)
{
    *h = (CacheHead){.n = get_u64(head + CACHE_AT_N),
                     .h = get_u32(head + CACHE_AT_H),
                     .w = get_u32(head + CACHE_AT_W),
                     .c = get_u32(head + CACHE_AT_C),
                     .classes = get_u32(head + CACHE_AT_CLASSES),
                     .name_bytes = get_u32(head + CACHE_AT_NAME_BYTES),
                     .source = get_u64(head + CACHE_AT_SOURCE),
                     .skipped = get_u64(head + CACHE_AT_SKIPPED),
                     .sum = get_u64(head + CACHE_AT_SUM)};
}

/* Extents that a cache can have, so that the sums of sizes do not overflow. */
static bool plausible(const CacheHead *h, size_t file)
{
    return h->n > 0 && h->n <= UINT32_MAX && h->h > 0 && h->h <= 65535 && h->w > 0 &&
           h->w <= 65535 && h->c > 0 && h->c <= 4 && h->classes > 0 &&
           h->classes <= RNCT_MOST_CLASSES && h->n <= file / h->h / h->w / h->c;
}

/* Points the set's names into the map; false where they do not end. */
static bool find_names(rnct_set *set, const CacheHead *h, const unsigned char *at)
{
    const unsigned char *end = at + h->name_bytes;
    set->names = malloc(h->classes * sizeof *set->names);
    if (!set->names)
        return false;
    for (uint32_t i = 0; i < h->classes; i++) {
        const unsigned char *nul = memchr(at, '\0', (size_t)(end - at));
        if (!nul)
            return false;
        set->names[i] = (const char *)at;
        at = nul + 1;
    }
    return at == end;
}

static bool check_labels(const rnct_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->labels[i] < 0 || set->labels[i] >= set->classes)
            return false;
    }
    return true;
}

/* Fills the set from a map whose head is right.  NULL, or what is wrong. */
static const char *read_cache(rnct_set *set, const CacheHead *h)
{
    uint64_t labels, names;
    const unsigned char *bytes = set->map.bytes;
    if (!plausible(h, set->map.size) || cache_payload(h, &labels, &names) != set->map.size)
        return "it is cut off, or longer than it was";
    if (cache_sum(bytes + CACHE_HEAD_BYTES, set->map.size - CACHE_HEAD_BYTES, 0) != h->sum)
        return "it is damaged: its checksum is wrong";
    set->n = h->n;
    set->h = (int)h->h;
    set->w = (int)h->w;
    set->c = (int)h->c;
    set->classes = (int)h->classes;
    set->skipped = h->skipped;
    set->pixels = bytes + CACHE_HEAD_BYTES;
    set->labels = (const int32_t *)(const void *)(bytes + labels);
    const uint32_t shape[] = {h->h, h->w, h->c, h->classes};
    unsigned char numbers[sizeof shape];
    for (size_t i = 0; i < 4; i++)
        put_u32(numbers + 4 * i, shape[i]);
    set->hash = rncw_hash(numbers, sizeof numbers, h->sum);
    return find_names(set, h, bytes + names) && check_labels(set) ? NULL : "it is damaged";
}

static CacheState check_cache(rnct_set *set, const uint64_t *source, char why[RNCT_WHY_BYTES])
{
    const unsigned char *bytes = set->map.bytes;
    CacheHead h;
    if (set->map.size < 8 || memcmp(bytes, CACHE_MAGIC, 8) != 0) {
        snprintf(why, RNCT_WHY_BYTES,
                 "is no cache of rnc, and is not overwritten: name another file");
        return CACHE_REFUSED;
    }
    const char *wrong = NULL;
    if (set->map.size < CACHE_HEAD_BYTES)
        wrong = "it is cut off";
    else if (get_u32(bytes + CACHE_AT_VERSION) != CACHE_VERSION)
        wrong = "it is of another version of rnc";
    else if (get_u64(bytes + CACHE_AT_HEAD_SUM) != rncw_hash(bytes, CACHE_AT_HEAD_SUM, 0))
        wrong = "it is damaged: the checksum of its head is wrong";
    else
        get_head(&h, bytes);
    if (!wrong && source && h.source != *source)
        wrong = "the pictures, their classes or the options have changed";
    if (!wrong)
        wrong = read_cache(set, &h);
    if (!wrong)
        return CACHE_GOOD;
    snprintf(why, RNCT_WHY_BYTES, "%s", wrong);
    return CACHE_OLD;
}

CacheState cache_open(rnct_set *set, const char *path, const uint64_t *source,
                      char why[RNCT_WHY_BYTES])
{
    rnct_problems problems = {0};
    struct stat about;
    *set = (rnct_set){0};
    if (lstat(path, &about) != 0 && errno == ENOENT) {
        snprintf(why, RNCT_WHY_BYTES, "there was none");
        return CACHE_NONE;
    }
    if (!rnct_map(&set->map, path, &problems)) {
        const char *text = strstr(problems.text[0], ": cannot be ");
        snprintf(why, RNCT_WHY_BYTES, "%s", text ? text + 2 : "cannot be read");
        return CACHE_REFUSED;
    }
    const CacheState state = check_cache(set, source, why);
    if (state != CACHE_GOOD)
        rnct_set_close(set);
    return state;
}
