/* set.c: opens data sets through their caches (see set.h). */
#define _GNU_SOURCE
#include "train/set.h"

#include "train/cache.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool refuse(rnct_problems *problems, const char *cache, CacheState state, const char *why)
{
    return rnct_problem(problems, cache, state == CACHE_REFUSED ? "%s" : "cannot be used: %s", why);
}

bool rnct_set_open_cache(rnct_set *set, const char *cache, rnct_problems *problems)
{
    char why[RNCT_WHY_BYTES];
    const CacheState state = cache_open(set, cache, NULL, why);
    return state == CACHE_GOOD || refuse(problems, cache, state, why);
}

/* A name for a cache that has none; false after a problem. */
static bool name_unnamed(char *path, size_t size, rnct_problems *problems)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    if (snprintf(path, size, "%s/rnc-XXXXXX", folder) >= (int)size)
        return rnct_problem(problems, folder, "is a path too long");
    const int fd = mkstemp(path);
    if (fd < 0)
        return rnct_problem(problems, folder,
                            "cannot have a file for decoded pictures: $TMPDIR "
                            "says where one is written");
    close(fd);
    return true;
}

static bool build(rnct_set *set, Source *s, const char *cache, const char *reason)
{
    char why[RNCT_WHY_BYTES];
    if (!cache_write(s, cache))
        return false;
    const CacheState state = cache_open(set, cache, &s->hash, why);
    if (state != CACHE_GOOD)
        return refuse(s->problems, cache, state, why);
    set->built = true;
    snprintf(set->note, sizeof set->note, "%s", reason);
    return true;
}

static bool open_unnamed(rnct_set *set, Source *s)
{
    char path[4096];
    if (!name_unnamed(path, sizeof path, s->problems))
        return false;
    const bool good = build(set, s, path, "it is kept nowhere");
    unlink(path);
    return good;
}

bool rnct_set_open(rnct_set *set, const rnct_data *data, const char *cache, rnct_problems *problems,
                   rnct_problems *skipped)
{
    Source s;
    char why[RNCT_WHY_BYTES];
    CacheState state = CACHE_NONE;
    *set = (rnct_set){0};
    bool good = source_open(&s, data, problems, skipped);
    const bool listed = good;
    const uint64_t ignored = s.ignored;
    if (cache)
        state = cache_open(set, cache, &s.hash, why);
    if (state == CACHE_REFUSED)
        refuse(problems, cache, state, why);
    if (problems->n > 0) {
        if (listed)
            cache_look(&s);
        rnct_set_close(set);
        good = false;
    } else if (good && state != CACHE_GOOD) {
        good = cache ? build(set, &s, cache, why) : open_unnamed(set, &s);
    }
    set->ignored = ignored;
    source_close(&s);
    return good;
}

bool rnct_set_look(const rnct_data *data, rnct_problems *problems, rnct_problems *skipped)
{
    Source s;
    const bool listed = source_open(&s, data, problems, skipped);
    if (listed)
        cache_look(&s);
    source_close(&s);
    return problems->n == 0;
}

void rnct_set_close(rnct_set *set)
{
    free((void *)(uintptr_t)set->names);
    rnct_unmap(&set->map);
    *set = (rnct_set){0};
}
