/* naming.h: patterns that say what weights files call the layers. */
#ifndef RNC_NAMING_H
#define RNC_NAMING_H

#include "base/diag.h"
#include "net/ops.h"
#include "lang/ast.h"

/* A piece of a pattern or of a template: text as it stands, or a variable. */
typedef struct NamePiece {
    const char *text; /* the text, or the variable's name */
    bool variable;
    bool dots;     /* {v*}: may match dots */
    bool number;   /* matches digits alone, for the template computes with it */
    bool letter;   /* {v:a} */
    bool channels; /* {channels}, of a template: the layer's */
    int64_t plus;  /* {v+1} */
    int which;     /* variables of the pattern are counted from 0 */
    Loc loc;
} NamePiece;

typedef VEC(NamePiece) NamePieces;

typedef struct NameRule {
    NamePieces pattern, to;
} NameRule;

typedef struct RoleRule {
    Op op;
    Role role;
    const char *to;
    const char *axes; /* "hwio" (axes.h); NULL: rnc's own order */
} RoleRule;

/* A naming, ready to use. */
typedef struct Naming {
    const char *name;
    VEC(NameRule) rules;
    VEC(RoleRule) roles;
} Naming;

/* False after messages about its rows; those that are well are in it. */
bool naming_make(Naming *naming, const Decl *decl, Arena *arena, Diag *d);
/* What the naming makes of the path of a layer whose result has `channels`: the
 * template of the first pattern that matches, or the path itself. */
const char *naming_path(const Naming *naming, const char *path, int channels, Arena *arena);
/* The name of an operator's parameter, "weight" unless a row says otherwise, and
 * the order of its axes in *axes, NULL unless a row says one. */
const char *naming_role(const Naming *naming, Op op, Role role, const char **axes);

#endif
