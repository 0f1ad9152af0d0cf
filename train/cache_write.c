/* cache_write.c: decodes all samples of a source into a cache file (see cache.h).
 *
 * Samples are decoded some at a time, each by any thread, and written in their order by the caller.
 * The head comes last, since what is skipped is known only then. */
#include "train/cache.h"

#include "runtime/rncw.h"
#include "train/bytes.h"
#include "train/cache_parts.h"
#include "train/whole.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 64 };

typedef struct Writer {
    Source *s;
    bool writes; /* or the samples are only looked at */
    rnct_whole file;
    CacheHead head;
    unsigned char *block; /* [CACHE_BLOCK] of what is written next */
    size_t used;
    size_t *counts; /* [classes] samples */
    /* The samples that are decoded together. */
    size_t first;
    Picture pictures[AT_ONCE];
    char why[AT_ONCE][RNCT_WHY_BYTES];
} Writer;

static bool flush_block(Writer *w)
{
    w->head.sum = cache_sum(w->block, w->used, w->head.sum);
    const bool good = rnct_whole_write(&w->file, w->block, w->used, w->s->problems);
    w->used = 0;
    return good;
}

static bool put(Writer *w, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size > 0) {
        const size_t room = CACHE_BLOCK - w->used, n = size < room ? size : room;
        memcpy(w->block + w->used, at, n);
        w->used += n;
        at += n;
        size -= n;
        if (w->used == CACHE_BLOCK && !flush_block(w))
            return false;
    }
    return true;
}

/* ---- samples ---- */

static void decode_part(void *arg, int part, int parts)
{
    Writer *w = arg;
    const rnct_data *data = w->s->data;
    Picture *p = &w->pictures[part];
    char *why = w->why[part];
    (void)parts;
    if (source_read(w->s, w->first + (size_t)part, p, why) && data->h > 0 &&
        !rnct_picture_fit(p, data->h, data->w, why))
        rnct_picture_free(p);
}

static void decode(Writer *w, int n)
{
    rnc_pool *pool = w->s->data->pool;
    for (int i = 0; i < n; i++)
        w->pictures[i] = (Picture){0};
    if (pool) {
        pool->begin(pool);
        pool->run(pool, decode_part, w, n);
        pool->end(pool);
    }
    for (int i = 0; !pool && i < n; i++)
        decode_part(w, i, n);
}

/* Whether a decoded sample can be one of the set; drops it if not. */
static bool fits(Writer *w, const Picture *p, size_t i, const char *why)
{
    char name[1024];
    CacheHead *h = &w->head;
    if (p->pixels && h->h == 0) {
        h->h = (uint32_t)p->h;
        h->w = (uint32_t)p->w;
        h->c = (uint32_t)p->c;
    }
    if (p->pixels && (uint32_t)p->h == h->h && (uint32_t)p->w == h->w)
        return true;
    source_name(w->s, i, name, sizeof name);
    if (p->pixels)
        source_drop(
            w->s, name,
            "has %d x %d pixels, and the first picture has %u x %u: pictures of several sizes "
            "are read where a size is asked for, to which they are scaled",
            p->w, p->h, h->w, h->h);
    else
        source_drop(w->s, name, "%s", why);
    return false;
}

static bool write_samples(Writer *w)
{
    Source *s = w->s;
    for (w->first = 0; w->first < s->n; w->first += AT_ONCE) {
        const size_t left = s->n - w->first;
        const int n = left < AT_ONCE ? (int)left : AT_ONCE;
        bool good = true;
        decode(w, n);
        for (int k = 0; k < n; k++) {
            const size_t i = w->first + (size_t)k;
            Picture *p = &w->pictures[k];
            if (!fits(w, p, i, w->why[k])) {
                s->labels[i] = -1;
                w->head.skipped++;
            } else {
                w->head.n++;
                w->counts[s->labels[i]]++;
                /* After problems nothing is kept, and only the rest is looked at. */
                if (w->writes && s->problems->n == 0)
                    good = put(w, p->pixels, (size_t)p->h * (size_t)p->w * (size_t)p->c);
            }
            rnct_picture_free(p);
        }
        if (!good)
            return false;
    }
    return s->problems->n == 0;
}

/* Classes that lost all their samples. */
static bool check_counts(Writer *w)
{
    if (w->head.n == 0)
        return rnct_problem(w->s->problems, w->s->data->path, "has no samples that can be used");
    for (int i = 0; i < w->s->classes && w->head.skipped > 0; i++) {
        if (w->counts[i] == 0)
            source_drop(w->s, w->s->data->path,
                        "class '%s' (%d of %d) has no samples that can be used", w->s->names[i], i,
                        w->s->classes);
    }
    return w->s->problems->n == 0;
}

/* ---- labels, names, head ---- */

static bool write_rest(Writer *w)
{
    static const unsigned char zeros[64];
    const Source *s = w->s;
    CacheHead *h = &w->head;
    uint64_t labels, names;
    h->classes = (uint32_t)s->classes;
    for (int i = 0; i < s->classes; i++)
        h->name_bytes += (uint32_t)strlen(s->names[i]) + 1;
    cache_payload(h, &labels, &names);
    bool good = put(w, zeros, labels - CACHE_HEAD_BYTES - h->n * h->h * h->w * h->c);
    for (size_t i = 0; good && i < s->n; i++)
        good = s->labels[i] < 0 || put(w, &s->labels[i], sizeof *s->labels);
    for (int i = 0; good && i < s->classes; i++)
        good = put(w, s->names[i], strlen(s->names[i]) + 1);
    return good && (w->used == 0 || flush_block(w));
}

static bool write_head(Writer *w)
{
    const CacheHead *h = &w->head;
    unsigned char *head = w->block;
    memset(head, 0, CACHE_HEAD_BYTES);
    memcpy(head, CACHE_MAGIC, 8);
    put_u32(head + CACHE_AT_VERSION, CACHE_VERSION);
    put_u64(head + CACHE_AT_N, h->n);
    put_u32(head + CACHE_AT_H, h->h);
    put_u32(head + CACHE_AT_W, h->w);
    put_u32(head + CACHE_AT_C, h->c);
    put_u32(head + CACHE_AT_CLASSES, h->classes);
    put_u32(head + CACHE_AT_NAME_BYTES, h->name_bytes);
    put_u64(head + CACHE_AT_SOURCE, h->source);
    put_u64(head + CACHE_AT_SKIPPED, h->skipped);
    put_u64(head + CACHE_AT_SUM, h->sum);
    put_u64(head + CACHE_AT_HEAD_SUM, rncw_hash(head, CACHE_AT_HEAD_SUM, 0));
    return rnct_whole_write_at(&w->file, head, CACHE_HEAD_BYTES, 0, w->s->problems);
}

static void free_writer(Writer *w)
{
    if (w) {
        free(w->counts);
        free(w->block);
    }
    free(w);
}

/* NULL after a problem. */
static Writer *new_writer(Source *s)
{
    Writer *w = calloc(1, sizeof *w);
    if (w) {
        w->s = s;
        w->head.source = s->hash;
        w->block = malloc(CACHE_BLOCK);
        w->counts = calloc((size_t)s->classes, sizeof *w->counts);
    }
    if (w && w->block && w->counts)
        return w;
    rnct_problem(s->problems, s->data->path, "no memory");
    free_writer(w);
    return NULL;
}

bool cache_write(Source *s, const char *path)
{
    static const unsigned char zeros[CACHE_HEAD_BYTES];
    bool good = false;
    Writer *w = new_writer(s);
    if (w && rnct_whole_begin(&w->file, path, s->problems)) {
        w->writes = true;
        good = rnct_whole_write(&w->file, zeros, sizeof zeros, s->problems) && write_samples(w) &&
               check_counts(w) && write_rest(w) && write_head(w);
        if (good)
            good = rnct_whole_commit(&w->file, NULL, s->problems);
        else
            rnct_whole_abort(&w->file);
    }
    free_writer(w);
    return good;
}

void cache_look(Source *s)
{
    Writer *w = new_writer(s);
    if (w) {
        write_samples(w);
        if (s->data->skip) /* else the samples are the problems */
            check_counts(w);
    }
    free_writer(w);
}
