/* tuningread.c: reads a tuning file (tuning.h), line by line.  '#' begins a comment, blanks only
 * separate words.  After a line with an error the next one is read, so that one run reports all
 * errors. */
#include "plan/method.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 4096, EXTENT_MOST = 1 << 24, FILE_VERSION = 1 };

typedef struct Reader {
    Arena *arena;
    Diag *d;
    Tuning *tuning;
    int file;
    const char *text;
    size_t at, end; /* what is left of the line, without its comment */
    Loc word;       /* the last word read, or where one was expected */
} Reader;

/* ---- words ---- */

/* The next word: a run of letters, digits and '_', "->", or one other character.  "" at the
 * end of the line. */
static const char *next(Reader *r)
{
    const char *t = r->text;
    while (r->at < r->end && (t[r->at] == ' ' || t[r->at] == '\t' || t[r->at] == '\r'))
        r->at++;
    const size_t begin = r->at;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    while (r->at < r->end && t[r->at] && strchr(letters, t[r->at]))
        r->at++;
    if (r->at == begin && r->at < r->end)
        r->at += t[begin] == '-' && begin + 1 < r->end && t[begin + 1] == '>' ? 2 : 1;
    r->word = (Loc){r->file, (int)begin, (int)r->at};
    return arena_strndup(r->arena, t + begin, r->at - begin);
}

/* What is found instead, for messages. */
static const char *instead(Reader *r, const char *word)
{
    return *word ? arena_printf(r->arena, "'%s' is there", word) : "the line ends there";
}

static bool expect(Reader *r, const char *wanted, const char *where)
{
    const char *word = next(r);
    if (str_eq(word, wanted))
        return true;
    diag_error(r->d, r->word, "'%s' is missing %s: %s", wanted, where, instead(r, word));
    return false;
}

/* Reads numbers like "64x56x56" into `to`, each at least 1; returns how many, or 0 after a
 * message. */
static int extents(Reader *r, int least, int most, int *to, const char *wanted)
{
    const char *word = next(r), *at = word;
    int n = 0;
    while (n < most && *at >= '0' && *at <= '9') {
        char *end;
        const long x = strtol(at, &end, 10);
        if (x < 1 || x > EXTENT_MOST || (*end && *end != 'x'))
            break;
        to[n++] = (int)x;
        at = *end ? end + 1 : end;
        if (!*end && n >= least)
            return n;
    }
    diag_error(r->d, r->word, "%s must stand here, and %s", wanted, instead(r, word));
    return 0;
}

/* "stride 2" or "stride 2x1" */
static bool pair(Reader *r, int *to, const char *wanted)
{
    const int n = extents(r, 1, 2, to, wanted);
    if (n == 1)
        to[1] = to[0];
    return n > 0;
}

/* ---- rows ---- */

static bool conv_key(Reader *r, TuningKey *key)
{
    if (!extents(r, 2, 2, key->kernel, "the kernel's rows and pixels, such as 3x3,") ||
        !expect(r, "stride", "after the kernel") || !pair(r, key->stride, "the stride"))
        return false;
    const char *word = next(r);
    if (str_eq(word, "dilation")) {
        if (!pair(r, key->dilation, "the dilation"))
            return false;
        word = next(r);
    }
    if (!str_eq(word, "groups")) {
        diag_error(r->d, r->word, "'groups' is missing after the stride: %s", instead(r, word));
        return false;
    }
    return extents(r, 1, 1, &key->groups, "the number of groups") &&
           extents(r, 3, 3, key->in, "the input's channels, rows and pixels, such as 64x56x56,") &&
           expect(r, "->", "after the input") &&
           extents(r, 3, 3, key->out, "the output's channels, rows and pixels, such as 64x56x56,");
}

static bool dense_key(Reader *r, TuningKey *key)
{
    return extents(r, 1, 1, key->in, "the number of inputs") &&
           expect(r, "->", "after the inputs") &&
           extents(r, 1, 1, key->out, "the number of outputs");
}

static bool read_key(Reader *r, TuningKey *key)
{
    if (!(key->op == OP_CONV ? conv_key(r, key) : dense_key(r, key)) ||
        !expect(r, "images", "after the output") ||
        !extents(r, 1, 1, &key->images, "the number of images"))
        return false;
    const char *word = next(r);
    key->residual = str_eq(word, "residual");
    if (key->residual)
        word = next(r);
    if (!str_eq(word, ":")) {
        diag_error(r->d, r->word, "':' is missing after the layer: %s", instead(r, word));
        diag_note(r->d, NO_LOC, "a row is a layer, ':' and its method, as in ... images 1: direct");
        return false;
    }
    return true;
}

/* Lists the words of all methods, each once; returns how many there are. */
static int method_words(const char *words[METHOD_COUNT])
{
    int n = 0;
    for (int i = 0; i < METHOD_COUNT; i++) {
        bool known = false;
        for (int k = 0; k < n; k++)
            known = known || str_eq(words[k], method_rows[i]->word);
        if (!known)
            words[n++] = method_rows[i]->word;
    }
    return n;
}

/* Whether `all` is `words` or begins with these words. */
static bool begins(const char *all, const char *words)
{
    const size_t n = strlen(words);
    return strncmp(all, words, n) == 0 && (all[n] == ' ' || !all[n]);
}

/* Reads the name of a method, as many words as belong to it. */
static bool read_method(Reader *r, TuningRow *row)
{
    const char *words[METHOD_COUNT], *read = "";
    const int n = method_words(words);
    size_t behind = r->at;
    for (bool more = true; more;) {
        const char *word = next(r);
        read = arena_printf(r->arena, "%s%s%s", read, *read ? " " : "", word);
        more = false;
        for (int i = 0; i < n && *word; i++) {
            more = more || begins(words[i], read);
            if (str_eq(words[i], read)) {
                row->method = words[i];
                behind = r->at;
            }
        }
        if (!more && !row->method) {
            Buf list = buf_new(r->arena);
            for (int i = 0; i < n; i++)
                buf_printf(&list, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", words[i]);
            diag_error(r->d, r->word, "a method must stand here, and %s", instead(r, word));
            diag_note(r->d, NO_LOC, "methods are %s", buf_text(&list));
            return false;
        }
    }
    r->at = behind;
    return true;
}

static void read_row(Reader *r, Op op)
{
    const int begin = r->word.begin;
    TuningRow row = {.key = {.op = op,
                             .kernel = {1, 1},
                             .stride = {1, 1},
                             .dilation = {1, 1},
                             .groups = 1,
                             .in = {1, 1, 1},
                             .out = {1, 1, 1}}};
    const bool good = read_key(r, &row.key);
    row.loc = (Loc){r->file, begin, r->word.begin};
    for (int i = 0; good && i < r->tuning->rows.n; i++) {
        if (tuning_key_eq(&r->tuning->rows.at[i].key, &row.key)) {
            diag_error(r->d, row.loc, "the same layer has a row already");
            diag_note(r->d, r->tuning->rows.at[i].loc, "it is here; delete one of them");
        }
    }
    if (good)
        read_method(r, &row);
    if (r->tuning->rows.n == ROWS_MOST)
        diag_error(r->d, row.loc, "there are more than %d rows; delete those of other networks",
                   ROWS_MOST);
    if (r->tuning->rows.n <= ROWS_MOST) /* even one with an error, for the tiles below it */
        VEC_PUSH(r->arena, &r->tuning->rows, row);
}

/* ---- tiles ---- */

static int find_knob(Reader *r, const char *word)
{
    const ShapeRow *knobs = &shape_rows[FAMILY_knobs];
    const char *names[KNOB_COUNT];
    Buf list = buf_new(r->arena);
    for (int k = 0; k < KNOB_COUNT; k++) {
        names[k] = knobs->fields[k].name;
        if (str_eq(word, names[k]))
            return k;
        buf_printf(&list, "%s%s", k == 0 ? "" : k + 1 == KNOB_COUNT ? " and " : ", ", names[k]);
    }
    const char *nearest = str_nearest(word, names, KNOB_COUNT);
    if (!*word)
        diag_error(r->d, r->word, "a knob must stand here, and the line ends");
    else
        diag_error(r->d, r->word, "unknown knob '%s'%s%s%s", word,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    diag_note(r->d, NO_LOC, "knobs are %s", buf_text(&list));
    return -1;
}

/* Whether a method always works in groups: it has scratch for one, so there is no `group 0`. */
static bool needs_group(const char *method)
{
    for (int i = 0; method && i < METHOD_COUNT; i++) {
        if (method_rows[i]->pieces && str_eq(method_rows[i]->word, method))
            return true;
    }
    return false;
}

static bool read_knob(Reader *r, TuningRow *row, Isa isa)
{
    const int k = find_knob(r, next(r));
    if (k < 0)
        return false;
    TuningLimit limit = tuning_limits[k];
    if (k == KNOB_group && needs_group(row->method))
        limit.least = 1;
    const char *name = shape_rows[FAMILY_knobs].fields[k].name;
    if (row->set[isa] >> k & 1) {
        diag_error(r->d, r->word, "'%s' is given twice for %s; delete one of them", name,
                   isa_rows[isa].name);
        return false;
    }
    const char *word = next(r);
    const size_t digits = strspn(word, "0123456789");
    const long value = digits > 0 && digits < 8 && !word[digits] ? strtol(word, NULL, 10) : -1;
    if (value < limit.least || value > limit.most) {
        diag_error(r->d, r->word, "'%s' takes a whole number from %d to %d, and %s", name,
                   limit.least, limit.most, instead(r, word));
        return false;
    }
    row->set[isa] |= 1u << k;
    *tuning_knob(&row->knobs[isa], k) = (int)value;
    return true;
}

static void read_knobs(Reader *r, Isa isa)
{
    if (r->tuning->rows.n == 0) {
        diag_error(r->d, r->word, "the knobs of %s belong to no layer; they follow its row",
                   isa_rows[isa].name);
        r->at = r->end;
        return;
    }
    TuningRow *row = &r->tuning->rows.at[r->tuning->rows.n - 1];
    if (row->set[isa]) {
        diag_error(r->d, r->word, "the layer has a line for %s already; join them",
                   isa_rows[isa].name);
        r->at = r->end;
        return;
    }
    bool good = expect(r, ":", "after the instruction set");
    while (good && read_knob(r, row, isa)) {
        const char *word = next(r);
        if (!*word)
            return;
        good = str_eq(word, ",");
        if (!good)
            diag_error(r->d, r->word, "',' is missing between knobs: '%s' is there", word);
    }
    r->at = r->end;
}

/* ---- lines ---- */

static void read_line(Reader *r)
{
    const char *words[ISA_COUNT + 2] = {"conv", "dense"};
    const char *word = next(r);
    if (!*word)
        return;
    const int errors = r->d->errors;
    for (int i = 0; i < ISA_COUNT; i++) {
        words[2 + i] = isa_rows[i].name;
        if (str_eq(word, isa_rows[i].name)) {
            read_knobs(r, (Isa)i);
            return;
        }
    }
    if (str_eq(word, "conv") || str_eq(word, "dense")) {
        read_row(r, *word == 'c' ? OP_CONV : OP_DENSE);
        if (r->d->errors == errors && *(word = next(r)))
            diag_error(r->d, r->word, "the line must end after the method, and '%s' is there",
                       word);
        return;
    }
    const char *nearest = str_nearest(word, words, ISA_COUNT + 2);
    diag_error(r->d, r->word, "'%s' begins no line of a tuning%s%s%s", word,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    diag_note(r->d, NO_LOC,
              "lines begin with conv or dense, or with an instruction set, such as "
              "avx2, for the layer above");
}

static bool read_head(Reader *r)
{
    const char *const head[] = {"rnc", "tuning"};
    Loc all = {r->file, -1, -1};
    for (int i = 0; i < 2; i++) {
        const char *word = next(r);
        all.begin = i == 0 ? r->word.begin : all.begin;
        all.end = r->word.end;
        if (str_eq(word, head[i]))
            continue;
        diag_error(r->d, all, "this is no tuning: it does not begin with 'rnc tuning %d'",
                   FILE_VERSION);
        diag_note(r->d, NO_LOC, "'rnc tune FILE.net' makes one");
        return false;
    }
    const char *word = next(r);
    if (str_eq(word, "1")) {
        word = next(r);
        if (!*word)
            return true;
    }
    diag_error(r->d, r->word, "this rnc reads tunings of version %d, and %s", FILE_VERSION,
               instead(r, word));
    diag_note(r->d, NO_LOC, "make it again: rnc tune FILE.net");
    return false;
}

/* The next line that holds a word; false where there is none. */
static bool next_line(Reader *r, size_t size, size_t *line)
{
    while (*line < size) {
        const char *newline = memchr(r->text + *line, '\n', size - *line);
        const size_t end = newline ? (size_t)(newline - r->text) : size;
        const char *comment = memchr(r->text + *line, '#', end - *line);
        r->at = *line;
        r->end = comment ? (size_t)(comment - r->text) : end;
        *line = end + 1;
        const size_t begin = r->at;
        const bool empty = !*next(r);
        r->at = begin;
        if (!empty)
            return true;
    }
    return false;
}

Tuning *tuning_parse(Arena *arena, const SrcMap *src, int file_number, Diag *d)
{
    const SrcFile *file = src_file(src, file_number);
    Reader r = {.arena = arena, .d = d, .tuning = NEW(arena, Tuning)};
    const int errors = d->errors;
    size_t line = 0;
    r.file = file_number;
    r.text = file->text;
    if (!next_line(&r, file->size, &line))
        r.at = r.end = 0;
    if (!read_head(&r))
        return NULL;
    while (next_line(&r, file->size, &line))
        read_line(&r);
    return d->errors == errors ? r.tuning : NULL;
}

Tuning *tuning_read(Arena *arena, SrcMap *src, const char *path, Diag *d)
{
    const char *why;
    const int file = src_read(src, path, &why);
    if (file < 0) {
        diag_file_error(d, path, "cannot read the tuning: %s", why);
        return NULL;
    }
    return tuning_parse(arena, src, file, d);
}
