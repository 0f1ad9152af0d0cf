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
    *set = (rnct_set){0};
    bool good = source_open(&s, data, problems, skipped);
    const uint64_t ignored = s.ignored;
    if (good && !cache) {
        good = open_unnamed(set, &s);
    } else if (good) {
        const CacheState state = cache_open(set, cache, &s.hash, why);
        if (state == CACHE_REFUSED)
            good = refuse(problems, cache, state, why);
        else if (state != CACHE_GOOD)
            good = build(set, &s, cache, why);
    }
    set->ignored = ignored;
    source_close(&s);
    return good;
}

void rnct_set_close(rnct_set *set)
{
    free((void *)(uintptr_t)set->names);
    rnct_unmap(&set->map);
    *set = (rnct_set){0};
}
