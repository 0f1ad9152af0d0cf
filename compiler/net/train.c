/* train.c: the tables that train.def expands to, and the text of a training. */
#include "net/train.h"

#include <stdlib.h>
#include <string.h>

static const char *const like_words[] = {"pytorch", "keras", NULL};

/* clang-format off */

/* Each item's values are values_<id>[1 ..], as in ops.c. */
#define KIND_INT TRAIN_VALUE_INT, NULL
#define KIND_REAL TRAIN_VALUE_REAL, NULL
#define KIND_BOOL TRAIN_VALUE_BOOL, NULL
#define KIND_REALS TRAIN_VALUE_REALS, NULL
#define KIND_TEXT TRAIN_VALUE_TEXT, NULL
#define KIND_TEXTS TRAIN_VALUE_TEXTS, NULL
#define KIND_WORDS(list) TRAIN_VALUE_WORDS, list
#define ITEM(id, statement, kind, flags, doc) \
    }; static const TrainValue values_##id[] = { {.word = ""},
#define VALUE(id, field, word, kind, position, def, least, most, doc) \
    {word, KIND_##kind, offsetof(Train, field), position, def, least, most, doc},
static const TrainValue no_values[] = { {.word = ""},
#include "net/train.def"
};

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
#define ITEM(id, statement, kind, flags, doc) \
    {statement, kind, flags, doc, values_##id + 1, LENGTH(values_##id) - 1},
static const TrainRow rows[] = {
#include "net/train.def"
    {"", "", 0, "", no_values + 1, 0},
};
/* clang-format on */

const TrainRow *train_row(TrainItem item)
{
    return &rows[item < TRAIN_ITEMS ? item : TRAIN_ITEMS];
}

TrainItem train_statement(const char *statement)
{
    int i = 0;
    while (i < TRAIN_ITEMS && !str_eq(rows[i].statement, statement))
        i++;
    return (TrainItem)i;
}

/* ---- defaults ---- */

static int word_number(const char *const *words, const char *word)
{
    int i = 0;
    while (words[i] && !str_eq(words[i], word))
        i++;
    return words[i] ? i : 0;
}

static void set_default(Train *train, const TrainValue *v)
{
    void *to = (char *)train + v->offset;
    switch (v->kind) {
    case TRAIN_VALUE_INT:
        *(int *)to = atoi(v->def);
        break;
    case TRAIN_VALUE_REAL:
        *(double *)to = strtod(v->def, NULL);
        break;
    case TRAIN_VALUE_BOOL:
        *(bool *)to = str_eq(v->def, "true");
        break;
    case TRAIN_VALUE_WORDS:
        *(int *)to = word_number(v->words, v->def);
        break;
    case TRAIN_VALUE_REALS:
        *(Reals *)to = (Reals){0};
        break;
    case TRAIN_VALUE_TEXT:
        *(const char **)to = NULL;
        break;
    case TRAIN_VALUE_TEXTS:
        *(Texts *)to = (Texts){0};
        break;
    }
}

void train_defaults(Train *train, TrainItem item)
{
    const TrainRow *row = train_row(item);
    for (int i = 0; i < row->n_values; i++) {
        if (row->values[i].def)
            set_default(train, &row->values[i]);
    }
}

/* ---- text ---- */

static void print_texts(Buf *out, Texts texts)
{
    buf_putc(out, '(');
    for (int i = 0; i < texts.n; i++) {
        buf_puts(out, i ? ", " : "");
        buf_quoted(out, texts.at[i]);
    }
    buf_puts(out, texts.n == 1 ? ",)" : ")");
}

static void print_reals(Buf *out, Reals reals)
{
    buf_putc(out, '(');
    for (int i = 0; i < reals.n; i++) {
        buf_puts(out, i ? ", " : "");
        buf_real(out, reals.at[i]);
    }
    buf_puts(out, reals.n == 1 ? ",)" : ")");
}

static void print_value(Buf *out, const Train *train, const TrainValue *v)
{
    const void *at = (const char *)train + v->offset;
    switch (v->kind) {
    case TRAIN_VALUE_INT:
        buf_printf(out, "%d", *(const int *)at);
        break;
    case TRAIN_VALUE_REAL:
        buf_real(out, *(const double *)at);
        break;
    case TRAIN_VALUE_BOOL:
        buf_puts(out, *(const bool *)at ? "true" : "false");
        break;
    case TRAIN_VALUE_WORDS:
        buf_puts(out, v->words[*(const int *)at]);
        break;
    case TRAIN_VALUE_REALS:
        print_reals(out, *(const Reals *)at);
        break;
    case TRAIN_VALUE_TEXT:
        buf_quoted(out, *(const char *const *)at);
        break;
    case TRAIN_VALUE_TEXTS:
        print_texts(out, *(const Texts *)at);
        break;
    }
}

/* Whether the value is an empty list, which is not printed. */
static bool empty(const Train *train, const TrainValue *v)
{
    const void *at = (const char *)train + v->offset;
    return v->kind == TRAIN_VALUE_TEXTS && ((const Texts *)at)->n == 0;
}

void train_print(Buf *out, const Train *train)
{
    buf_printf(out, "train %s {\n", train->name);
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const TrainRow *row = &rows[i];
        if (!train->given[i])
            continue;
        buf_printf(out, "    %s", row->statement);
        if (*row->kind)
            buf_printf(out, " %s", row->kind);
        for (int k = 0; k < row->n_values; k++) {
            const TrainValue *v = &row->values[k];
            if (empty(train, v))
                continue;
            buf_putc(out, ' ');
            if (row->n_values > 1 || v->position < 0)
                buf_printf(out, "%s=", v->word);
            print_value(out, train, v);
        }
        buf_putc(out, '\n');
    }
    buf_puts(out, "}\n");
}
