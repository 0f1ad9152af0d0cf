/* test_model.c: the cost model beside what was measured (tests/model). */
#include "nets.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LAYER_MOST = 1.03, ALL_MOST = 1.05;

enum { METHODS = 8, LAYERS = 64 };

/* A layer of a table, and the least time of each method. */
typedef struct Layer {
    char key[128];
    int kernel, stride, in, size, out;
    bool known;
    int n;
    char method[METHODS][24];
    double us[METHODS];
} Layer;

typedef struct Table {
    Machine machine;
    unsigned isas;
    double parameters;
    int n;
    Layer layers[LAYERS];
} Table;

static Layer *layer_of(Table *t, const char *key)
{
    for (int i = 0; i < t->n; i++) {
        if (strcmp(t->layers[i].key, key) == 0)
            return &t->layers[i];
    }
    CU_ASSERT_FATAL(t->n < LAYERS);
    Layer *l = &t->layers[t->n++];
    snprintf(l->key, sizeof l->key, "%s", key);
    return l;
}

static void add(Layer *l, const char *method, double us)
{
    int i = 0;
    while (i < l->n && strcmp(l->method[i], method) != 0)
        i++;
    CU_ASSERT_FATAL(i < METHODS);
    if (i == l->n) {
        snprintf(l->method[l->n++], sizeof l->method[0], "%s", method);
        l->us[i] = us;
    }
    l->us[i] = us < l->us[i] ? us : l->us[i];
}

/* "conv 3x3 stride 1 groups 1 64x56x56 -> 64x56x56 images 1: direct # 1.000 of 12 us" */
static void read_row(Table *t, const char *line)
{
    char key[128], method[24];
    double ratio, us;
    if (strncmp(line, "conv ", 5) != 0 || strstr(line, "too busy"))
        return;
    CU_ASSERT_EQUAL_FATAL(
        sscanf(line, "%127[^:]: %23[^#]# %lf of %lf us", key, method, &ratio, &us), 4);
    method[strcspn(method, "#")] = '\0';
    while (*method && method[strlen(method) - 1] == ' ')
        method[strlen(method) - 1] = '\0';
    Layer *l = layer_of(t, key);
    CU_ASSERT_EQUAL_FATAL(sscanf(key, "conv %dx%*d stride %d groups 1 %dx%*dx%*d -> %dx%d",
                                 &l->kernel, &l->stride, &l->in, &l->out, &l->size),
                          5);
    l->known = l->known || strstr(line, "; known") != NULL;
    add(l, method, ratio * us);
}

static void read_table(Table *t, const char *path, Arena *arena)
{
    char line[1024], isa[16];
    const char *word, *why;
    FILE *f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    memset(t, 0, sizeof *t);
    t->machine = machine_rows[MACHINE_generic];
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "# --machine ", 12) == 0)
            CU_ASSERT_FATAL(machine_read(line + 12, &t->machine, arena, &word, &why));
        for (int i = 0; i < ISA_COUNT && sscanf(line, "# isa %15s", isa) == 1; i++)
            t->isas |= strcmp(isa, isa_rows[i].name) == 0 ? 1u << i : 0;
        sscanf(line, "# parameters %lf", &t->parameters);
        read_row(t, line);
    }
    fclose(f);
    CU_ASSERT_FATAL(t->isas != 0 && t->parameters > 0.0 && t->n > 0);
}

/* The word of the method that the model takes for a layer, in a network as large as the table's. */
static const char *chosen(const Table *t, const Layer *l, Arena *arena)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, l->in, l->size * l->stride, l->size * l->stride, ELEM_F32);
    Node *conv = make_conv(&b, in, l->kernel, l->out, l->stride, 1);
    make_output(&b, conv);
    Plan *plan =
        make_plan(&b, (PlanOptions){.isas = t->isas, .machine = &t->machine, .threads = 1});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    plan->parameters = (int64_t)t->parameters;
    const char *word = arena_strdup(arena, choose_method(plan, conv)->word);
    bench_end(&b);
    return word;
}

static void check_table(const char *path)
{
    static Table t;
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    read_table(&t, path, arena);
    double took = 0.0, best = 0.0;
    for (int i = 0; i < t.n; i++) {
        const Layer *l = &t.layers[i];
        const char *word = chosen(&t, l, arena);
        double least = l->us[0], us = -1.0;
        for (int k = 0; k < l->n; k++) {
            least = l->us[k] < least ? l->us[k] : least;
            us = strcmp(l->method[k], word) == 0 ? l->us[k] : us;
        }
        if (us < 0.0 || (us > least * LAYER_MOST && !l->known))
            printf("%s: %s: %s takes %.0f us, the best %.0f\n", path, l->key, word, us, least);
        CU_ASSERT(us > 0.0);
        CU_ASSERT(us <= least * LAYER_MOST || l->known);
        took += us;
        best += least;
    }
    if (took > best * ALL_MOST)
        printf("%s: all layers take %.0f us, at best %.0f\n", path, took, best);
    CU_ASSERT(took <= best * ALL_MOST);
    arena_free(arena);
}

static void test_tables(void)
{
    const char *root = getenv("RNC_SRCDIR");
    char folder[512], path[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/tests/model", root ? root : ".");
    DIR *d = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        const size_t length = strlen(e->d_name);
        if (length < 6 || strcmp(e->d_name + length - 6, ".table") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        check_table(path);
        n++;
    }
    closedir(d);
    CU_ASSERT(n > 0);
}

void suite_model(void)
{
    CU_pSuite s = CU_add_suite("model", NULL, NULL);
    CU_add_test(s, "tables", test_tables);
}
