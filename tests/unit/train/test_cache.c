/* test_cache.c: caches of decoded data: found again, written anew, refused. */
#include "train/set.h"

#include "settest.h"

#include <CUnit/CUnit.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 30, RECORD = 3073 };

/* A file of CIFAR-10 with N records of random pixels. */
static void put_data(SetTest *t, unsigned seed)
{
    unsigned char *bytes = malloc(N * RECORD);
    CU_ASSERT_FATAL(bytes != NULL);
    for (size_t i = 0; i < N * RECORD; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (unsigned char)(i % RECORD == 0 ? i / RECORD % 10 : seed >> 16);
    }
    folder_write(&t->folder, "data/data_batch_1.bin", bytes, N * RECORD);
    folder_write(&t->folder, "data/test_batch.bin", bytes, N * RECORD);
    free(bytes);
    t->data.part = RNCT_TEST;
}

static void test_found_again(void)
{
    SetTest t;
    set_begin(&t);
    put_data(&t, 1);
    CU_ASSERT_FATAL(set_read(&t) && t.set.built);
    CU_ASSERT_STRING_EQUAL(t.set.note, "there was none");
    const uint64_t hash = t.set.hash;
    CU_ASSERT_FATAL(set_read(&t) && !t.set.built && t.set.hash == hash);
    CU_ASSERT_STRING_EQUAL(t.set.note, "");
    /* The same pictures at another time are the same set; other pictures are another. */
    put_data(&t, 1);
    CU_ASSERT_FATAL(set_read(&t) && t.set.built && t.set.hash == hash);
    CU_ASSERT_STRING_EQUAL(t.set.note, "the pictures, their classes or the options have changed");
    put_data(&t, 2);
    CU_ASSERT_FATAL(set_read(&t) && t.set.built && t.set.hash != hash);
    t.data.h = t.data.w = 16;
    CU_ASSERT_FATAL(set_read(&t) && t.set.built && t.set.h == 16);
    CU_ASSERT_EQUAL(folder_count(&t.folder), 2);
    rnct_set alone;
    CU_ASSERT_FATAL(rnct_set_open_cache(&alone, folder_path(&t.folder, "cache"), &t.problems));
    CU_ASSERT(alone.n == N && alone.hash == t.set.hash && alone.classes == 10);
    rnct_set_close(&alone);
    no_problems(&t.problems);
    set_end(&t);
}

/* Threads, and no cache at all, change nothing. */
static void test_same_bytes(void)
{
    SetTest t;
    set_begin(&t);
    put_data(&t, 1);
    t.data.h = 20, t.data.w = 11;
    CU_ASSERT_FATAL(set_read(&t));
    const uint64_t hash = t.set.hash;
    rnct_set_close(&t.set);
    CU_ASSERT_FATAL(rnct_set_open(&t.set, &t.data, NULL, &t.problems, &t.skipped));
    CU_ASSERT(t.set.hash == hash && t.set.built);
    rnct_set_close(&t.set);
    CU_ASSERT_EQUAL(rnc_pool_new(&t.data.pool, 3), RNC_OK);
    CU_ASSERT_FATAL(rnct_set_open(&t.set, &t.data, NULL, &t.problems, &t.skipped));
    CU_ASSERT_EQUAL(t.set.hash, hash);
    rnc_pool_free(t.data.pool);
    set_end(&t);
}

static void test_damage(void)
{
    SetTest t;
    size_t size;
    set_begin(&t);
    put_data(&t, 1);
    t.data.h = t.data.w = 8;
    CU_ASSERT_FATAL(set_read(&t));
    char *bytes = file_bytes(folder_path(&t.folder, "cache"), &size);
    const uint64_t hash = t.set.hash;
    for (size_t i = 8; i < size; i += i < 128 ? 1 : 97) {
        rnct_set alone;
        t.problems.n = 0;
        bytes[i] ^= 0x10;
        folder_write(&t.folder, "cache", bytes, size);
        CU_ASSERT_FALSE(rnct_set_open_cache(&alone, folder_path(&t.folder, "cache"), &t.problems));
        bytes[i] ^= 0x10;
        folder_write(&t.folder, "cache", bytes, i);
        CU_ASSERT_FALSE(rnct_set_open_cache(&alone, folder_path(&t.folder, "cache"), &t.problems));
        says(&t.problems, "cache: cannot be used: it is ");
    }
    CU_ASSERT_FATAL(set_read(&t) && t.set.built && t.set.hash == hash);
    CU_ASSERT_EQUAL(strncmp(t.set.note, "it is cut off", 13), 0);
    free(bytes);
    set_end(&t);
}

static void test_foreign(void)
{
    SetTest t;
    set_begin(&t);
    put_data(&t, 1);
    folder_write(&t.folder, "cache", "my thesis", 9);
    set_refused(&t, "cache: is no cache of rnc, and is not overwritten: name another file");
    char *bytes = file_bytes(folder_path(&t.folder, "cache"), NULL);
    CU_ASSERT_STRING_EQUAL(bytes, "my thesis");
    free(bytes);
    remove(folder_path(&t.folder, "cache"));
    mkdir(folder_path(&t.folder, "cache"), 0777);
    set_refused(&t, "cache: cannot be read: Is a directory");
    set_end(&t);
}

static void test_full_disk(void)
{
    SetTest t;
    struct rlimit old;
    set_begin(&t);
    put_data(&t, 1);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &old) == 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){50000, old.rlim_max});
    set_refused(&t, "cache: cannot be written: File too large");
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    CU_ASSERT_EQUAL(folder_count(&t.folder), 1); /* nothing is left of it */
    CU_ASSERT_FATAL(set_read(&t));
    set_end(&t);
}

void suite_cache(void)
{
    CU_pSuite suite = CU_add_suite("cache", NULL, NULL);
    CU_ADD_TEST(suite, test_found_again);
    CU_ADD_TEST(suite, test_same_bytes);
    CU_ADD_TEST(suite, test_damage);
    CU_ADD_TEST(suite, test_foreign);
    CU_ADD_TEST(suite, test_full_disk);
}
