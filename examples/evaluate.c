/* evaluate.c: how many of a folder's pictures a network gets right.
 *
 *   evaluate resnet50.weights [--list] [--logits OUT.tsv] FOLDER
 *
 * FOLDER/labels.txt has a line `file class` for each picture.  --list prints a
 * line for each.  --logits writes the values of the network's last output: the
 * logits, if it was compiled with them as an extra output (rnc --tap dense1). */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct count {
    int pictures, first, five;
} count;

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
    int top[5], five = 0;
    const int best = e->n < 5 ? e->n : 5;
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
    engine_top(e, best, top);
    for (int i = 0; i < best; i++)
        five |= top[i] == class_;
    sum->pictures++;
    sum->first += top[0] == class_;
    sum->five += five;
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
        printf("%d of %d right: top-1 %d, top-5 %d\n", sum.first, sum.pictures, sum.first,
               sum.five);
    return failed;
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
        fputs("usage: evaluate WEIGHTS [--list] [--logits OUT.tsv] FOLDER\n", stderr);
        return 2;
    }
    if (engine_open(&e, argv[1]))
        return 1;
    if (out_path && !(out = fopen(out_path, "w"))) {
        perror(out_path);
        engine_close(&e);
        return 1;
    }
    failed = evaluate(&e, argv[i], list, out);
    if (out && fclose(out)) {
        perror(out_path);
        failed = -1;
    }
    engine_close(&e);
    return failed ? 1 : 0;
}
