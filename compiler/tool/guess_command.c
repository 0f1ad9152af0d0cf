/* guess_command.c: rnc guess: which of the networks that ship have these weights?
 *
 * Each .net file of the folders is lowered, and its parameters are looked for among the tensors by
 * name and by extents.  Where some do not fit, other values of the net's parameters are tried:
 * those that would make an extent right, and the values that a `case` of the file is about. */
#include "lang/parse.h"
#include "tool/commands.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 5, MOST_TRIES = 24 };

typedef struct Guess {
    const char *path;
    VEC(const char *) defines; /* "classes=37" */
    BindFit fit;
} Guess;

typedef struct Guesser {
    const Options *o;
    Arena *arena;
    TensorFile *files;
    int n_files;
    VEC(Guess) guesses;
} Guesser;

/* ---- one network ---- */

/* How good a fit is: of parameters and tensors together, those that belong to each other. */
static double score(const BindFit *f)
{
    const int all = f->params + f->left;
    return all > 0 ? (double)f->fitting / all : 0;
}

static bool is_complete(const BindFit *f)
{
    return f->params > 0 && f->fitting == f->params && f->left == 0;
}

/* False if it is no network that can be lowered by itself. */
static bool try_net(const Guesser *g, Guess *guess)
{
    SrcMap src = {.arena = g->arena};
    Diag quiet = diag_new(&src, g->arena);
    const char *why;
    const int file = src_read(&src, guess->path, &why);
    LowerOptions options = g->o->compile.lower;
    options.defines = guess->defines.at;
    options.n_defines = guess->defines.n;
    options.naming = "auto";
    options.labels = "";
    Net *net = file < 0 ? NULL : lower_file(g->arena, &src, file, &options, &quiet);
    if (net)
        bind_fit(&guess->fit, net, g->files, g->n_files, &src);
    return net != NULL;
}

static Guess with_define(const Guesser *g, const Guess *guess, const char *name, int64_t value)
{
    Guess other = {.path = guess->path};
    for (int i = 0; i < guess->defines.n; i++)
        VEC_PUSH(g->arena, &other.defines, guess->defines.at[i]);
    VEC_PUSH(g->arena, &other.defines, arena_printf(g->arena, "%s=%lld", name, (long long)value));
    return other;
}

/* ---- what else a file offers ---- */

typedef VEC(NetDefine) Defines;

static void cases_in(Arena *arena, const Expr *e, Defines *found)
{
    if (!e || e->kind != EXPR_CASE || e->subject->kind != EXPR_NAME)
        return;
    for (int i = 0; i < e->rows->n; i++) {
        const Exprs *keys = &e->rows->at[i].keys;
        for (int k = 0; k < keys->n; k++) {
            if (keys->at[k]->kind == EXPR_INT)
                VEC_PUSH(arena, found, ((NetDefine){e->subject->text, keys->at[k]->integer}));
        }
    }
}

/* The values of the net's parameters that `let x = case PARAMETER {...}` is about. */
static Defines offered(const Guesser *g, const char *path)
{
    Defines found = {0};
    SrcMap src = {.arena = g->arena};
    Diag quiet = diag_new(&src, g->arena);
    const char *why;
    const int file = src_read(&src, path, &why);
    const Ast *ast = file < 0 ? NULL : parse_file(g->arena, file, &quiet);
    for (int i = 0; ast && i < ast->decls.n; i++) {
        const Decl *decl = ast->decls.at[i];
        for (int k = 0; decl->kind == DECL_NET && k < decl->body.n; k++) {
            if (decl->body.at[k]->kind == STMT_LET)
                cases_in(g->arena, decl->body.at[k]->value, &found);
        }
    }
    return found;
}

/* Takes what would make extents fit, as long as it makes the fit better. */
static void fulfil_wishes(const Guesser *g, Guess *best)
{
    for (int tries = 0; tries < MOST_TRIES && !is_complete(&best->fit); tries++) {
        bool better = false;
        for (int i = 0; i < best->fit.wishes.n && !better; i++) {
            const NetDefine *wish = &best->fit.wishes.at[i];
            Guess other = with_define(g, best, wish->name, wish->value);
            better = try_net(g, &other) && score(&other.fit) > score(&best->fit);
            if (better)
                *best = other;
        }
        if (!better)
            return;
    }
}

static void guess_net(Guesser *g, const char *path)
{
    Guess best = {.path = path};
    if (!try_net(g, &best))
        return;
    fulfil_wishes(g, &best);
    const Defines others = offered(g, path);
    const Guess plain = {.path = path};
    for (int i = 0; i < others.n && i < MOST_TRIES && !is_complete(&best.fit); i++) {
        Guess other = with_define(g, &plain, others.at[i].name, others.at[i].value);
        if (!try_net(g, &other))
            continue;
        fulfil_wishes(g, &other);
        if (score(&other.fit) > score(&best.fit))
            best = other;
    }
    VEC_PUSH(g->arena, &g->guesses, best);
}

/* ---- all of them ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void guess_folder(Guesser *g, const char *folder)
{
    DIR *dir = opendir(folder);
    Words paths = {0};
    if (!dir)
        return;
    for (const struct dirent *e; (e = readdir(dir));) {
        if (str_ends(e->d_name, ".net"))
            VEC_PUSH(g->arena, &paths, arena_printf(g->arena, "%s/%s", folder, e->d_name));
    }
    closedir(dir);
    if (paths.n)
        qsort(paths.at, (size_t)paths.n, sizeof *paths.at, by_text);
    for (int i = 0; i < paths.n; i++)
        guess_net(g, paths.at[i]);
}

/* The better fit first; of equals the one with fewer values to give, then by name. */
static int by_score(const void *a, const void *b)
{
    const Guess *x = a, *y = b;
    const double p = score(&x->fit), q = score(&y->fit);
    if (p != q)
        return p < q ? 1 : -1;
    if (x->defines.n != y->defines.n)
        return x->defines.n - y->defines.n;
    return strcmp(x->path, y->path);
}

static void print_guess(const Guesser *g, const Guess *guess)
{
    const BindFit *f = &guess->fit;
    const char *slash = strrchr(guess->path, '/');
    printf("%-22s %d of %d parameters fit", slash ? slash + 1 : guess->path, f->fitting, f->params);
    if (f->named > f->fitting)
        printf(", %d have other extents", f->named - f->fitting);
    if (f->left)
        printf(", %d tensors are left over", f->left);
    Buf command = buf_new(g->arena);
    buf_puts(&command, "rnc ");
    buf_shell_word(&command, guess->path);
    for (int i = 0; i < guess->defines.n; i++) {
        buf_puts(&command, " -D ");
        buf_shell_word(&command, guess->defines.at[i]);
    }
    if (f->naming)
        buf_printf(&command, " --names %s", f->naming);
    for (int i = 0; i < g->o->weights.n; i++) {
        buf_puts(&command, " -w ");
        buf_shell_word(&command, g->o->weights.at[i]);
    }
    printf("\n    %s\n", buf_text(&command));
}

/* The first file that has its own network beside its weights, or NULL. */
static const char *whole_model(const Guesser *g)
{
    for (int i = 0; i < g->n_files; i++) {
        if (g->files[i].model)
            return g->files[i].path;
    }
    return NULL;
}

static void guess_all(Guesser *g, Diag *d)
{
    const char *model = whole_model(g);
    for (int i = 0; i < g->o->include_dirs.n; i++)
        guess_folder(g, g->o->include_dirs.at[i]);
    if (g->guesses.n)
        qsort(g->guesses.at, (size_t)g->guesses.n, sizeof *g->guesses.at, by_score);
    int shown = 0;
    for (int i = 0; i < g->guesses.n && shown < SHOWN; i++) {
        const Guess *guess = &g->guesses.at[i];
        /* After one that fits, only others that do. */
        if (guess->fit.fitting == 0 ||
            (i && is_complete(&g->guesses.at[0].fit) && !is_complete(&guess->fit)))
            break;
        print_guess(g, guess);
        shown++;
    }
    if (!shown) {
        diag_file_error(d, g->files[0].path, "no network that ships has these weights");
        diag_note(d, NO_LOC, "%d were tried; -I DIR looks in DIR, too%s", g->guesses.n,
                  model ? ""
                        : ", and 'rnc import' reads models of Keras and ONNX with their weights");
    }
    if (model)
        diag_file_note(d, model,
                       "it has a network of its own: 'rnc import %s -o NAME.net' writes that, and "
                       "its weights to NAME.safetensors",
                       model);
}

int guess_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Guesser g = {.o = o, .arena = arena};
    (void)src;
    g.files = NEW_ARRAY(arena, TensorFile, o->weights.n);
    bool good = true;
    for (; good && g.n_files < o->weights.n; g.n_files++)
        good = tensorfile_open(&g.files[g.n_files], o->weights.at[g.n_files], arena, d);
    if (good)
        guess_all(&g, d);
    for (int i = 0; i < g.n_files; i++)
        tensorfile_close(&g.files[i]);
    return status_of(d);
}
