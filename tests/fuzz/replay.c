/* replay.c: feeds an entry point the files it is given, one after another, and each
 * again cut in half and with a byte changed. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy of its own size, so that a sanitizer sees a read behind the end. */
static void feed(const unsigned char *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int replay(const char *path)
{
    enum { MOST = 2 << 20 };
    unsigned char *bytes = malloc(MOST);
    FILE *f = fopen(path, "rb");
    if (!f || !bytes) {
        perror(path);
        if (f)
            fclose(f);
        free(bytes);
        return 1;
    }
    const size_t n = fread(bytes, 1, MOST, f);
    fclose(f);
    feed(bytes, n);
    feed(bytes, n / 2);
    for (size_t i = 1; i <= 4; i++) {
        const size_t at = n * i / 5;
        if (at >= n)
            continue;
        bytes[at] ^= 0x15;
        feed(bytes, n);
        bytes[at] ^= 0x15;
    }
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        /* A crash is to leave the name of its input behind. */
        printf("%s\n", argv[i]);
        fflush(stdout);
        if (replay(argv[i]))
            failed++;
        else
            passed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
