/* traintest.h: folders and files for the tests of train/. */
#ifndef RNC_TRAINTEST_H
#define RNC_TRAINTEST_H

#include "train/problems.h"

#include <stddef.h>

/* A folder of the test's own, in memory where the system has such a place. */
typedef struct TestFolder {
    char path[64];
} TestFolder;

TestFolder folder_new(void);
/* Removes it with all that is in it, symbolic links not followed. */
void folder_remove(const TestFolder *folder);
/* "FOLDER/NAME" in one of eight buffers that are used in turn. */
const char *folder_path(const TestFolder *folder, const char *name);
/* Writes a file, and makes the folders that its name has. */
void folder_write(const TestFolder *folder, const char *name, const void *bytes, size_t size);
/* How many files and folders are in it. */
int folder_count(const TestFolder *folder);
/* The bytes of a file, ending in NUL, which the caller frees; fails the test without. */
char *file_bytes(const char *path, size_t *size);
/* Fails the test unless one of the texts has `words` in it. */
void says(const rnct_problems *problems, const char *words);
/* Fails the test, and prints them, if there are any. */
void no_problems(const rnct_problems *problems);

#endif
