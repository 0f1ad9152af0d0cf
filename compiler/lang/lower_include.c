/* lower_include.c: reads the declarations of a file and of all that it includes.  A file is looked
 * for beside the file that names it, then in each include directory and its lib/. */
#include "lang/lower_parts.h"
#include "lang/parse.h"

#include <string.h>
#include <sys/stat.h>

static const char *beside(Lower *l, int file, const char *path)
{
    const char *name = src_file(l->src, file)->name, *slash = strrchr(name, '/');
    if (!slash || path[0] == '/')
        return path;
    return arena_printf(l->arena, "%.*s/%s", (int)(slash - name), name, path);
}

static const char *in_directory(Lower *l, int dir, bool lib, const char *path)
{
    return arena_printf(l->arena, "%s/%s%s", l->options->include_dirs[dir], lib ? "lib/" : "",
                        path);
}

static bool is_file(const char *path, struct stat *st)
{
    return stat(path, st) == 0 && S_ISREG(st->st_mode);
}

/* The path of the file, or NULL if it is not found. */
static const char *find(Lower *l, Name path, struct stat *st)
{
    const char *at = beside(l, path.loc.file, path.text);
    if (is_file(at, st))
        return at;
    for (int i = 0; path.text[0] != '/' && i < l->options->n_include_dirs; i++) {
        for (int lib = 0; lib < 2; lib++) {
            at = in_directory(l, i, lib, path.text);
            if (is_file(at, st))
                return at;
        }
    }
    return NULL;
}

/* Notes the chain of includes that leads to a file. */
static void note_includes(Lower *l, int file)
{
    for (int i = 0; i < l->files.n; i++) {
        if (l->files.at[i].file != file || l->files.at[i].included.file < 0)
            continue;
        diag_note(l->d, l->files.at[i].included, "included here");
        file = l->files.at[i].included.file;
        i = -1; /* from the first file again, as an includer was read before */
    }
}

int read_beside(Lower *l, Name path, const char *what, bool *again)
{
    struct stat st = {0};
    const char *at = find(l, path, &st);
    if (again)
        *again = false;
    if (!at) {
        if (lower_error(l, path.loc, "cannot find the %s '%s'", what, path.text)) {
            at = beside(l, path.loc.file, path.text);
            if (stat(at, &st) == 0)
                diag_note(l->d, path.loc, "there is a '%s', but it is no regular file", at);
            diag_note(l->d, path.loc,
                      "it is looked for beside this file, then in each -I directory and in the "
                      "installed models");
            note_includes(l, path.loc.file);
        }
        return -1;
    }
    for (int i = 0; again && i < l->files.n; i++) {
        if (l->files.at[i].device == (uint64_t)st.st_dev &&
            l->files.at[i].inode == (uint64_t)st.st_ino) {
            *again = true;
            return l->files.at[i].file;
        }
    }
    const char *why;
    int file = src_read(l->src, at, &why);
    if (file < 0) {
        if (lower_error(l, path.loc, "cannot read the %s '%s': %s", what, at, why))
            note_includes(l, path.loc.file);
    } else if (again) {
        ReadFile read = {file, path.loc, (uint64_t)st.st_dev, (uint64_t)st.st_ino};
        VEC_PUSH(l->arena, &l->files, read);
    }
    return file;
}

static Decls *decls_of(Lower *l, DeclKind kind)
{
    return kind == DECL_BLOCK   ? &l->blocks
           : kind == DECL_NET   ? &l->nets
           : kind == DECL_TRAIN ? &l->trainings
                                : &l->namings;
}

const Decl *declared(const Lower *l, DeclKind kind, const char *name)
{
    const NameEntry *entry = table_find(&l->declared[kind], name);
    return entry ? decls_of((Lower *)l, kind)->at[entry->number - 1] : NULL;
}

static void take(Lower *l, const Decl *decl)
{
    static const char *const kinds[] = {"include", "block", "net", "training", "naming"};
    const Decl *old = declared(l, decl->kind, decl->name.text);
    if (old && l->shipped)
        return;
    if (old) {
        if (lower_error(l, decl->name.loc, "there is a %s '%s' already", kinds[decl->kind],
                        decl->name.text)) {
            diag_note(l->d, old->name.loc, "it is this one; give one of them another name");
            note_includes(l, old->name.loc.file);
        }
        return;
    }
    const bool again = str_eq(decl->name.text, AGAIN);
    if (decl->kind == DECL_BLOCK && (again || op_reserved(decl->name.text) != OP_COUNT)) {
        if (lower_error(l, decl->name.loc,
                        again ? "'%s' has a meaning: `again LABEL` is a call once more"
                              : "'%s' is an operator",
                        decl->name.text))
            diag_note(l->d, decl->name.loc, "give the block another name");
        return;
    }
    Decls *list = decls_of(l, decl->kind);
    VEC_PUSH(l->arena, list, decl);
    l->declared[decl->kind].arena = l->arena;
    table_add(&l->declared[decl->kind], decl->name.text, decl->name.loc)->number = list->n;
}

static void take_all(Lower *l, const Ast *ast)
{
    for (int i = 0; i < ast->decls.n; i++) {
        if (ast->decls.at[i]->kind != DECL_INCLUDE && ast->decls.at[i]->kind != DECL_DEFAULT)
            take(l, ast->decls.at[i]);
    }
}

/* Reads the files from `at` on in the order in which they were found: includes of includes come
 * last. */
static void read_from(Lower *l, int at)
{
    for (; at < l->files.n; at++) {
        int now = l->files.at[at].file, errors = l->d->errors;
        const Ast *ast = parse_file(l->arena, now, l->d);
        if (l->d->errors > errors)
            note_includes(l, now);
        for (int i = 0; i < ast->decls.n; i++) {
            bool again;
            if (ast->decls.at[i]->kind == DECL_INCLUDE)
                read_beside(l, ast->decls.at[i]->name, "file", &again);
        }
        take_all(l, ast);
    }
}

void read_declarations(Lower *l, int file)
{
    struct stat st = {0};
    ReadFile self = {.file = file, .included = NO_LOC};
    if (stat(src_file(l->src, file)->name, &st) == 0) {
        self.device = (uint64_t)st.st_dev;
        self.inode = (uint64_t)st.st_ino;
    }
    VEC_PUSH(l->arena, &l->files, self);
    read_from(l, 0);
}

void read_shipped_namings(Lower *l)
{
    const int file = l->files.at[0].file, from = l->files.n;
    const Name path = {"lib/namings.net", {.file = file, .begin = 0, .end = 0}};
    bool again;
    l->shipped = true;
    if (read_beside(l, path, "file", &again) >= 0 && !again)
        read_from(l, from);
    l->shipped = false;
}
