/* compare.c: says how two files of floats differ, for tests/same.sh; the status is 0 when
 * their bits are the same.
 *
 *   compare OLD NEW
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *floats(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        printf("there is no %s\n", path);
        exit(2);
    }
    *n = (size_t)ftell(f) / sizeof(float);
    rewind(f);
    float *data = (float *)malloc((*n + 1) * sizeof(float));
    if (!data || fread(data, sizeof(float), *n, f) != *n)
        exit(2);
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    size_t n, m, differ = 0;
    double largest = 0, worst = 0;
    if (argc != 3)
        return 2;
    const float *a = floats(argv[1], &n), *b = floats(argv[2], &m);
    if (n != m) {
        printf("%zu elements were %zu\n", m, n);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        differ += memcmp(&a[i], &b[i], sizeof(float)) != 0;
        worst = d > worst ? d : worst;
        largest = fabs((double)a[i]) > largest ? fabs((double)a[i]) : largest;
    }
    if (differ)
        printf("%zu of %zu elements, by up to %.2g of the largest\n", differ, n,
               largest > 0 ? worst / largest : worst);
    return differ != 0;
}
