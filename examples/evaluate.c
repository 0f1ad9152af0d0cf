/* evaluate.c: how many of a folder's pictures a network gets right.
 *
 *   evaluate resnet50.weights [--list] [--logits OUT.tsv] FOLDER
 *   evaluate signs.weights test_signs.h5
 *
 * FOLDER/labels.txt has a line `file class` for each picture.  A file is a data set as training
 * reads it (docs/training-data.md): h5, npz, CIFAR's, a list; of its test part, if it has two.
 * --list prints a line for each.  --logits writes the values of the network's last output: the
 * logits, if it was compiled with them as an extra output (rnc --tap dense1). */
#include "engine.h"

#include "train/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct count {
    int pictures, first, five;
} count;

/* Counts the answer for the picture that the engine has classified last. */
static void count_answer(const engine *e, int class_, count *sum)
{
    int top[5], five = 0;
    const int best = e->n < 5 ? e->n : 5;
    engine_top(e, best, top);
    for (int i = 0; i < best; i++)
        five |= top[i] == class_;
    sum->pictures++;
    sum->first += top[0] == class_;
    sum->five += five;
}

static void print_sum(const count *sum)
{
    printf("%d of %d right: top-1 %d, top-5 %d\n", sum->first, sum->pictures, sum->first,
           sum->five);
}

static int write_values(FILE *out, const engine *e, const char *file, int class_)
{
    const int last = e->info->n_outputs - 1;
    const rnc_port_info *port = &e->info->outputs[last];
    fprintf(out, "%s\t%d\t", file, class_);
    for (int i = 0; i < port->c * port->h * port->w; i++)
        fprintf(out, "%s%.9g", i ? " " : "", (double)engine_scores(e, last)[i]);
    return fputc('\n', out) == EOF ? -1 : 0;
}

static void print_name(const engine *e, int class_)
{
    if (e->names[class_])
        printf(" %-12.12s", e->names[class_]);
    else
        printf(" %-12d", class_);
}

/* One line of labels.txt. */
static int one(engine *e, const char *folder, const char *file, int class_, int list, FILE *out,
               count *sum)
{
    char path[4096];
    int top[1];
    if (class_ < 0 || class_ >= e->n) {
        fprintf(stderr, "%s/labels.txt: class %d of '%s' is not one of the network's %d\n", folder,
                class_, file, e->n);
        return -1;
    }
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) {
        fprintf(stderr, "%s: the name is too long\n", file);
        return -1;
    }
    if (engine_classify(e, path))
        return -1;
    engine_top(e, 1, top);
    count_answer(e, class_, sum);
    if (list) {
        printf("%-28s", file);
        print_name(e, class_);
        print_name(e, top[0]);
        printf(" %.4f%s\n", (double)engine_scores(e, 0)[top[0]],
               top[0] == class_ ? "" : "   wrong");
    }
    return out ? write_values(out, e, file, class_) : 0;
}

static int evaluate(engine *e, const char *folder, int list, FILE *out)
{
    char path[4096], line[1024], file[1000];
    int class_, failed = 0;
    count sum = {0, 0, 0};
    snprintf(path, sizeof path, "%s/labels.txt", folder);
    FILE *labels = fopen(path, "r");
    if (!labels) {
        perror(path);
        return -1;
    }
    if (list)
        printf("%-28s %-12s %-12s probability\n", "picture", "expected", "got");
    while (!failed && fgets(line, sizeof line, labels)) {
        if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
            continue;
        if (sscanf(line, "%999s %d", file, &class_) == 2) {
            failed = one(e, folder, file, class_, list, out, &sum);
        } else {
            fprintf(stderr, "%s: a line is `file class`, not: %s", path, line);
            failed = -1;
        }
    }
    fclose(labels);
    if (!failed && sum.pictures == 0) {
        fprintf(stderr, "%s: it names no picture\n", path);
        failed = -1;
    }
    if (!failed)
        print_sum(&sum);
    return failed;
}

/* A data set in one file. */
static int evaluate_set(engine *e, const char *path)
{
    static rnct_problems problems, skipped;
    const rnc_port_info *in = &e->info->inputs[0];
    const rnct_data data = {.path = path, .part = RNCT_TEST_OR_ALL, .h = in->h, .w = in->w};
    const size_t each = (size_t)in->h * (size_t)in->w * 3;
    rnct_set set;
    count sum = {0, 0, 0};
    int failed = !rnct_set_open(&set, &data, NULL, &problems, &skipped);
    if (!failed && (set.c != 3 || set.classes > e->n))
        failed =
            !rnct_problem(&problems, path, "has %d channels and %d classes, the network 3 and %d",
                          set.c, set.classes, e->n);
    for (size_t i = 0; !failed && i < set.n; i++) {
        engine_classify_pixels(e, set.pixels + i * each);
        count_answer(e, set.labels[i], &sum);
    }
    rnct_problems_print(&problems, "", stderr);
    rnct_set_close(&set);
    if (!failed)
        print_sum(&sum);
    return failed ? -1 : 0;
}

static int is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

int main(int argc, char **argv)
{
    engine e;
    FILE *out = NULL;
    int list = 0, i = 2, failed;
    const char *out_path = NULL;
    for (; i < argc - 1; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = 1;
        else if (strcmp(argv[i], "--logits") == 0 && i < argc - 2)
            out_path = argv[++i];
        else
            break;
    }
    if (i != argc - 1) {
        fputs("usage: evaluate WEIGHTS [--list] [--logits OUT.tsv] FOLDER|FILE\n", stderr);
        return 2;
    }
    if (engine_open(&e, argv[1]))
        return 1;
    if (out_path && !(out = fopen(out_path, "w"))) {
        perror(out_path);
        engine_close(&e);
        return 1;
    }
    failed = is_file(argv[i]) ? evaluate_set(&e, argv[i]) : evaluate(&e, argv[i], list, out);
    if (out && fclose(out)) {
        perror(out_path);
        failed = -1;
    }
    engine_close(&e);
    return failed ? 1 : 0;
}
