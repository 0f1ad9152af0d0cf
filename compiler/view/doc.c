/* doc.c: see doc.h. */
#include "view/doc.h"

#include "lang/synonyms.h"
#include "net/ops.h"
#include "net/train.h"

static const char *kind_text(AttrKind kind)
{
    switch (kind) {
    case ATTR_INT:
        return "int";
    case ATTR_PAIR:
        return "pair, or int for both";
    case ATTR_PADDING:
        return "int, pair, four ints (top, left, bottom, right), `half`, `same` or `valid`";
    case ATTR_REAL:
        return "real";
    case ATTR_BOOL:
        return "bool";
    case ATTR_REALS:
        return "list of reals";
    case ATTR_WORDS:
        break;
    }
    return "";
}

/* The words of the table do not hold a '|', which Markdown would take for a
 * column's end. */
static void doc_attr(Buf *out, const AttrRow *row)
{
    buf_printf(out, "| `%s` | %s", row->word, kind_text(row->kind));
    for (int i = 0; row->kind == ATTR_WORDS && row->words[i]; i++)
        buf_printf(out, "%s`%s`", i == 0 ? "" : row->words[i + 1] ? ", " : " or ", row->words[i]);
    if (row->kind != ATTR_BOOL && row->kind != ATTR_WORDS)
        buf_printf(out, " | %.10g to %.10g | ", row->least, row->most);
    else
        buf_puts(out, " | | ");
    if (row->def)
        buf_printf(out, "%s", row->def);
    else
        buf_puts(out, "none: must be given");
    if (row->position >= 0)
        buf_printf(out, " | %d", row->position + 1);
    else
        buf_puts(out, " | by name");
    buf_printf(out, " | %s |\n", row->doc);
}

static void doc_operator(Buf *out, const OpRow *row)
{
    buf_printf(out, "### %s\n\n%s.", row->name, row->doc);
    if (row->flags & JOIN)
        buf_printf(out, " Takes %d or more arms or labels.", row->least);
    buf_puts(out, "\n\n");
    if (row->n_attrs)
        buf_puts(out, "| attribute | value | range | default | place | meaning |\n"
                      "|---|---|---|---|---|---|\n");
    for (int i = 0; i < row->n_attrs; i++)
        doc_attr(out, &row->attrs[i]);
    if (row->n_attrs)
        buf_putc(out, '\n');
    if (row->n_params)
        buf_puts(out, "| parameter | dims |\n|---|---|\n");
    for (int i = 0; i < row->n_params; i++)
        buf_printf(out, "| `%s` | %s |\n", row->params[i].name, row->params[i].doc);
    if (row->n_params)
        buf_putc(out, '\n');
}

static void doc_operators(Buf *out)
{
    for (int op = 0; op < OP_COUNT; op++) {
        if (!(op_row((Op)op)->flags & INTERNAL))
            doc_operator(out, op_row((Op)op));
    }
}

/* The names of a row with commas between them. */
static void doc_names(Buf *out, const char *names)
{
    for (; *names; names++) {
        if (*names == ' ')
            buf_puts(out, ", ");
        else
            buf_putc(out, *names);
    }
}

static void doc_synonyms(Buf *out, const Synonym *(*row)(int i))
{
    buf_puts(out, "| elsewhere | here | |\n|---|---|---|\n");
    for (int i = 0; row(i); i++) {
        const Synonym *s = row(i);
        buf_puts(out, "| ");
        doc_names(out, s->names);
        buf_printf(out, s->here ? " | `%s` | %s |\n" : " | %s| %s |\n", s->here ? s->here : "",
                   s->note ? s->note : "");
    }
    buf_putc(out, '\n');
}

static const char *train_kind_text(TrainValueKind kind)
{
    static const char *const texts[] = {
        [TRAIN_VALUE_INT] = "int",
        [TRAIN_VALUE_REAL] = "real",
        [TRAIN_VALUE_BOOL] = "bool",
        [TRAIN_VALUE_REALS] = "real or list of reals",
        [TRAIN_VALUE_TEXT] = "a text in quotes",
        [TRAIN_VALUE_TEXTS] = "a text in quotes, or several",
        [TRAIN_VALUE_WORDS] = "",
    };
    return texts[kind];
}

static void doc_train_value(Buf *out, const char *statement, const TrainValue *v)
{
    const bool number =
        v->kind == TRAIN_VALUE_INT || v->kind == TRAIN_VALUE_REAL || v->kind == TRAIN_VALUE_REALS;
    buf_printf(out, "| | `%s` of %s | %s", v->word, statement, train_kind_text(v->kind));
    for (int i = 0; v->kind == TRAIN_VALUE_WORDS && v->words[i]; i++)
        buf_printf(out, "%s`%s`", i == 0 ? "" : v->words[i + 1] ? ", " : " or ", v->words[i]);
    if (number)
        buf_printf(out, ", %.10g to %.10g", v->least, v->most);
    buf_printf(out, " | %s | %s | %s |\n",
               !v->def   ? "must be given"
               : *v->def ? v->def
                         : "none",
               v->position == 0 ? "first" : "by name", v->doc);
}

static void doc_training(Buf *out)
{
    buf_puts(out,
             "## Statements of a training\n\n"
             "| statement | its values | kind, range | default | place | meaning |\n"
             "|---|---|---|---|---|---|\n"
             "| `network` | | a net, `NAME` or `NAME(PARAMETER = VALUE)` | the file's last net "
             "| first | the net that is trained |\n");
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const TrainRow *row = train_row((TrainItem)i);
        const char *gap = *row->kind ? " " : "";
        buf_printf(out, "| `%s%s%s` | | | %s | | %s |\n", row->statement, gap, row->kind,
                   !(row->flags & NEEDED) ? "none"
                   : *row->kind           ? "one kind must be given"
                                          : "must be given",
                   row->doc);
        for (int k = 0; k < row->n_values; k++)
            doc_train_value(out, *row->kind ? row->kind : row->statement, &row->values[k]);
    }
    buf_putc(out, '\n');
}

void doc_manual(Buf *out)
{
    doc_operators(out);
    doc_training(out);
    buf_puts(out, "## What other frameworks call them\n\n"
                  "Words of PyTorch, Keras, ONNX, Caffe and darknet, in small letters and without\n"
                  "`_` or a 2d at the end: a message about any of them says what it is here.\n\n");
    doc_synonyms(out, synonym_operator_row);
    buf_puts(out, "And their attributes:\n\n");
    doc_synonyms(out, synonym_attribute_row);
}
