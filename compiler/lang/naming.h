/* naming.h: patterns that say what weights files call the layers. */
#ifndef RNC_NAMING_H
#define RNC_NAMING_H

#include "base/diag.h"
#include "net/ops.h"
#include "lang/ast.h"

enum { NAMING_VARIABLES = 16 }; /* of a pattern, at most */

/* So many times the number that a variable of the pattern matched. */
typedef struct NameTerm {
    int which; /* variables of the pattern are counted from 0 */
    int64_t times;
} NameTerm;

/* A piece of a pattern or of a template: text as it stands, or what is in braces. */
typedef struct NamePiece {
    const char *text; /* the text, or of a pattern the variable's name */
    bool variable;
    bool dots;     /* {v*}: may match dots */
    bool number;   /* matches digits alone, for the template computes with it */
    bool letter;   /* {v:a} */
    bool channels; /* {channels}, of a template: the layer's */
    int which;     /* of a pattern: the variable's */
    /* Of a template: the sum of `terms` and `plus`; or what terms[0] matched, as it stands. */
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

/* What an operator's parameter is called after its layer's name, or in the layers of a
 * pattern as a whole. */
typedef struct RoleRule {
    Op op;
    Role role;
    bool whole;
    NameRule layer;   /* whole: the layers, and the whole name */
    const char *to;   /* else: the parameter's name */
    const char *axes; /* "hwio" (axes.h); NULL: rnc's own order */
} RoleRule;

/* A naming, ready to use. */
typedef struct Naming {
    const char *name;
    VEC(NameRule) rules;
    VEC(RoleRule) roles;
} Naming;

typedef VEC(const Decl *) NamingDecls;

/* False after messages about its rows; those that are well are in it.  `known` are the
 * namings that it may include. */
bool naming_make(Naming *naming, const Decl *decl, const NamingDecls *known, Arena *arena, Diag *d);
/* What the naming makes of the path of a layer whose result has `channels`: the
 * template of the first pattern that matches, or the path itself. */
const char *naming_path(const Naming *naming, const char *path, int channels, Arena *arena);
/* What it calls a parameter of the layer, "LAYER.weight" unless a row says otherwise, and
 * the order of its axes in *axes, NULL unless a row says one. */
const char *naming_param(const Naming *naming, Op op, Role role, const char *path, int channels,
                         const char **axes, Arena *arena);

#endif
