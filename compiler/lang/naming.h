/* naming.h: patterns that say what weights files call the layers. */
#ifndef RNC_NAMING_H
#define RNC_NAMING_H

#include "base/diag.h"
#include "net/ops.h"
#include "lang/ast.h"

enum { NAMING_VARIABLES = 16 }; /* a pattern has at most this many */

/* A multiple of the number that a variable of the pattern matched. */
typedef struct NameTerm {
    int which; /* variables of the pattern are counted from 0 */
    int64_t times;
} NameTerm;

/* A piece of a pattern or of a template: literal text, or what is in braces. */
typedef struct NamePiece {
    const char *text; /* the text; in a pattern also a variable's name */
    bool variable;
    bool dots;     /* {v*}: may match dots */
    bool number;   /* matches only digits, since the template computes with it */
    bool letter;   /* {v:a} */
    bool channels; /* {channels} in a template: the layer's */
    int which;     /* in a pattern: the variable's number */
    /* In a template: the sum of `terms` and `plus`, or the text that terms[0] matched. */
    VEC(NameTerm) terms;
    int64_t plus;
    bool computed;
    Loc loc;
} NamePiece;

typedef VEC(NamePiece) NamePieces;

/* A layer's path and its name in files. */
typedef struct NameRule {
    NamePieces pattern, to;
} NameRule;

/* The name of an operator's parameter: either the part after its layer's name, or the whole name
 * for the layers of a pattern. */
typedef struct RoleRule {
    Op op;
    Role role;
    bool whole;
    NameRule layer;   /* for a whole name: the layers, and the name */
    const char *to;   /* else: the parameter's name */
    const char *axes; /* "hwio" (axes.h); NULL: rnc's own order */
} RoleRule;

/* Memory of a match, used again by the next one. */
typedef struct NamingWork {
    bool *failed;
    size_t size;
} NamingWork;

/* A naming, ready to use. */
typedef struct Naming {
    const char *name;
    NamingWork *work;
    VEC(NameRule) rules;
    VEC(RoleRule) roles;
} Naming;

typedef VEC(const Decl *) NamingDecls;

/* Returns false after messages about its rows; the naming then has those without errors.  It may
 * include the namings in `known`. */
bool naming_make(Naming *naming, const Decl *decl, const NamingDecls *known, Arena *arena, Diag *d);
/* The name for the path of a layer whose result has `channels` channels: the template of the first
 * pattern that matches, or the path itself. */
const char *naming_path(const Naming *naming, const char *path, int channels, Arena *arena);
/* The name for a parameter of the layer, "LAYER.weight" unless a row says otherwise.  *axes
 * becomes the order of its axes, NULL unless a row gives one. */
const char *naming_param(const Naming *naming, Op op, Role role, const char *path, int channels,
                         const char **axes, Arena *arena);

#endif
