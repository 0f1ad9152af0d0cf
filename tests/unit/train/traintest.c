/* traintest.c: see traintest.h. */
#define _GNU_SOURCE
#include "traintest.h"

#include <CUnit/CUnit.h>

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestFolder folder_new(void)
{
    TestFolder folder = {"/dev/shm/rnc-test-XXXXXX"};
    if (access("/dev/shm", W_OK) != 0)
        strcpy(folder.path, "/tmp/rnc-test-XXXXXX");
    CU_ASSERT_FATAL(mkdtemp(folder.path) != NULL);
    return folder;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about, (void)kind, (void)at;
    return remove(path);
}

void folder_remove(const TestFolder *folder)
{
    nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_path(const TestFolder *folder, const char *name)
{
    enum { BUFFERS = 8, BYTES = 512 };
    static char buffers[BUFFERS][BYTES];
    static int next;
    char *to = buffers[next++ % BUFFERS];
    snprintf(to, BYTES, "%s/%s", folder->path, name);
    return to;
}

void folder_write(const TestFolder *folder, const char *name, const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    for (char *slash = path + strlen(folder->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *f = fopen(path, "wb");
    CU_ASSERT_FATAL(f != NULL && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}

int folder_count(const TestFolder *folder)
{
    int n = 0;
    DIR *dir = opendir(folder->path);
    CU_ASSERT_FATAL(dir != NULL);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

char *file_bytes(const char *path, size_t *size)
{
    struct stat about;
    FILE *f = fopen(path, "rb");
    CU_ASSERT_FATAL(f != NULL && fstat(fileno(f), &about) == 0);
    char *bytes = malloc((size_t)about.st_size + 1);
    CU_ASSERT_FATAL(bytes && fread(bytes, 1, (size_t)about.st_size, f) == (size_t)about.st_size);
    fclose(f);
    bytes[about.st_size] = '\0';
    if (size)
        *size = (size_t)about.st_size;
    return bytes;
}

void says(const rnct_problems *problems, const char *words)
{
    for (size_t i = 0; i < problems->n && i < RNCT_PROBLEMS_SHOWN; i++) {
        if (strstr(problems->text[i], words))
            return;
    }
    printf("expected: %s\n", words);
    rnct_problems_print(problems, "found: ", stdout);
    CU_FAIL("no such problem");
}

void no_problems(const rnct_problems *problems)
{
    rnct_problems_print(problems, "found: ", stdout);
    CU_ASSERT_EQUAL(problems->n, 0);
}
