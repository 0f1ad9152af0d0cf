/* parse.y: tokens to the syntax tree.  The actions only build the tree; lower.c decides what the
 * names mean.
 *
 * The grammar is LALR(1) without conflicts.  Its tables are canonical LR(1), because then an error
 * is found before anything is reduced, and the list of expected tokens is exact.  Four rules of
 * the lexer make this possible: END follows every statement (lex.h); `(` right after a name is
 * CALL_OPEN, so that `conv 3x3 n (1, 2)` has three arguments and `f(1, 2)` has two; `-` after an
 * operand is always binary; and a keyword is a NAME where it cannot have its meaning (tokens.c).
 */
%code requires {
#include "lang/parse_parts.h"
}

%code {
#include "lang/parse.h"

/* The parser's stacks come from the arena; they nest as deep as a tree may. */
#define YYMALLOC(size) arena_alloc(p->arena, (size))
#define YYFREE(pointer) ((void)(pointer))
#define YYMAXDEPTH 3000

/* From the first symbol's begin to the last one's end. */
#define YYLLOC_DEFAULT(Current, Rhs, N)                                        \
    ((Current) = (N) ? (Loc){YYRHSLOC(Rhs, 1).file, YYRHSLOC(Rhs, 1).begin,    \
                             YYRHSLOC(Rhs, N).end}                             \
                     : (Loc){YYRHSLOC(Rhs, 0).file, YYRHSLOC(Rhs, 0).end,      \
                             YYRHSLOC(Rhs, 0).end})

static int yylex(Symbol *value, Loc *loc, Parse *p)
{
    return lex_next(&p->lexer, value, loc);
}

static void yyerror(const Loc *loc, Parse *p, const char *message);

#define LIST(vec, x) VEC_PUSH(p->arena, &(vec), (x))
#define BINARY(op, a, b, loc) build_operation(p, EXPR_BINARY, OPERATOR_##op, a, b, NULL, loc)
}

%define api.pure full
%define api.prefix {rnc_yy}
%define api.value.type {Symbol}
%define api.location.type {Loc}
%define parse.error custom
%define lr.type canonical-lr
%define lr.default-reduction consistent
%locations
%param {Parse *p}
%expect 0

%token END_OF_FILE 0 "end of file"
%token START_FILE START_DEFINE
%token END "end of statement"
%token INCLUDE "include" BLOCK "block" NET "net" TRAIN "train" NAMING "naming"
%token INPUT "input" OUTPUT "output" TAP "tap" STAGE "stage" FROM "from" NAMES "names"
%token USE "use" DEFAULT "default" RNC "rnc" CASE_OPEN "{ of case" CASE_CLOSE "} of case"
%token BATCH "batch" LET "let" CASE "case" IF "if" ELSE "else" FOR "for" IN "in"
%token X "x" THEN "then" AND "and" OR "or" NOT "not" TRUE "true" FALSE "false"
%token ARROW "->" DOTDOT ".." FLOORDIV "//" EQ "==" NE "!=" LE "<=" GE ">="
%token CALL_OPEN "(" UMINUS "unary -"
%token <integer> INTEGER "integer"
%token <real> REAL "real"
%token <pair> PAIR "pair"
%token <name> STRING "string"
%token <name> NAME "name"

%right THEN
%right '?' ':'
%left OR
%left AND
%precedence NOT
%nonassoc EQ NE '<' LE '>' GE
%left '+' '-'
%left '*' '/' FLOORDIV '%'
%precedence UMINUS
%precedence '['

%type <decl> decl
%type <params> params param_list
%type <param> param
%type <rows> rows
%type <row> row
%type <cases> cases
%type <stmt> default
%type <one_case> case
%type <stmts> body stmts else
%type <stmt> stmt simple if
%type <call> call paren_call base
%type <names> results
%type <args> args arg_list words attrs
%type <arg> arg port_arg
%type <expr> expr define
%type <exprs> exprs items

%%

start
    : START_FILE decls
    | START_DEFINE define END { p->define = $define; }
    ;

/* NAME=VALUE of -D; several values are a list without parentheses. */
define
    : NAME '=' exprs { $$ = $exprs.n == 1 ? $exprs.at[0] : expr_list(p->arena, $exprs, @exprs); }
    ;

decls
    : %empty
    | decls END
    | decls decl END { if ($decl) LIST(p->ast->decls, $decl); }
    | decls error END { yyerrok; }
    ;

/* NULL if what comes before the body has an error; the body is read all the same. */
decl
    : BLOCK error { $$ = NULL; }
    | BLOCK error resume body { $$ = NULL; }
    | NET error { $$ = NULL; }
    | NET error resume body { $$ = NULL; }
    | TRAIN error { $$ = NULL; }
    | TRAIN error resume body { $$ = NULL; }
    | NAMING error { $$ = NULL; }
    | NAMING error resume '{' rows '}' { $$ = NULL; }
    | RNC INTEGER { /* the lexer has the word at the beginning of a file alone */
        $$ = NULL;
        syntax_version(p->d, $INTEGER, @INTEGER);
        p->ast->version = LANGUAGE_VERSION;
    }
    | INCLUDE STRING { $$ = build_decl(p, DECL_INCLUDE, $STRING, @$); }
    | BLOCK NAME params body { $$ = build_bodied(p, DECL_BLOCK, $NAME, $params, $body); }
    | NET NAME params body { $$ = build_bodied(p, DECL_NET, $NAME, $params, $body); }
    | TRAIN NAME params body { $$ = build_bodied(p, DECL_TRAIN, $NAME, $params, $body); }
    | NET NAME '=' base {
        $$ = build_decl(p, DECL_NET, $NAME, @NAME);
        $$->base = $base;
    }
    | default {
        $$ = build_decl(p, DECL_DEFAULT, $default->call->name, $default->loc);
        $$->base = $default->call;
        LIST(p->ast->defaults, $default);
    }
    | NAMING NAME '{' rows '}' {
        $$ = build_decl(p, DECL_NAMING, $NAME, @NAME);
        $$->rows = $rows;
    }
    ;

/* After an error, before a body: errors are reported again. */
resume: %empty { yyerrok; };

base
    : NAME { $$ = call_new(p->arena, $NAME, (Args){0}, false, @$); }
    | paren_call
    ;

/* ---- parameters and namings ---- */

params
    : %empty { $$ = (Parameters){0}; }
    | open ')' { $$ = (Parameters){0}; }
    | open param_list ')' { $$ = $param_list; }
    | open param_list ',' ')' { $$ = $param_list; }
    ;

open: '(' | CALL_OPEN;

param_list
    : param { $$ = (Parameters){0}; LIST($$, $param); }
    | param_list[list] ',' param { $$ = $list; LIST($$, $param); }
    ;

param
    : NAME { $$ = (Parameter){$NAME, {0}, NULL}; }
    | NAME '=' expr { $$ = (Parameter){$NAME, {0}, $expr}; }
    | NAME ':' NAME[type] { $$ = (Parameter){$1, $type, NULL}; }
    | NAME ':' NAME[type] '=' expr { $$ = (Parameter){$1, $type, $expr}; }
    ;

rows
    : %empty { $$ = (NamingRows){0}; }
    | rows END
    | rows[list] row END { $$ = $list; LIST($$, $row); }
    | rows error END { $$ = $1; yyerrok; }
    ;

row
    : STRING[pattern] ARROW STRING[to] { $$ = (NamingRow){.pattern = $pattern, .to = $to}; }
    | NAME[op] '.' NAME[role] ARROW STRING[to] {
        $$ = (NamingRow){.op = $op, .role = $role, .to = $to};
    }
    | NAME[op] '.' NAME[role] ARROW STRING[to] NAME[axes] {
        $$ = (NamingRow){.op = $op, .role = $role, .to = $to, .axes = $axes};
    }
    | NAME[op] '.' NAME[role] STRING[pattern] ARROW STRING[to] {
        $$ = (NamingRow){.pattern = $pattern, .op = $op, .role = $role, .to = $to};
    }
    | NAME[op] '.' NAME[role] STRING[pattern] ARROW STRING[to] NAME[axes] {
        $$ = (NamingRow){.pattern = $pattern, .op = $op, .role = $role, .to = $to, .axes = $axes};
    }
    | INCLUDE NAME[naming] { $$ = (NamingRow){.include = $naming}; }
    ;

/* ---- statements ---- */

body: '{' stmts '}' { $$ = $stmts; };

stmts
    : %empty { $$ = (Stmts){0}; }
    | stmts END
    | stmts[list] stmt END {
        $$ = $list;
        if ($stmt) {
            syntax_repeat(p->d, $stmt, @END);
            LIST($$, $stmt);
        }
    }
    | stmts error END { $$ = $1; yyerrok; }
    ;

/* NULL like a wrong decl. */
stmt
    : STAGE error { $$ = NULL; }
    | STAGE error resume body { $$ = NULL; }
    | FOR error { $$ = NULL; }
    | FOR error resume body { $$ = NULL; }
    | simple
    | if
    | call { $$ = build_statement(p, STMT_CALL, (Name){0}, @$); $$->call = $call; }
    | NAME ':' call { $$ = build_statement(p, STMT_CALL, $NAME, @$); $$->call = $call; }
    | results ':' call {
        $$ = build_statement(p, STMT_CALL, (Name){0}, @$);
        $$->names = $results;
        $$->call = $call;
    }
    | NAME body {
        $$ = build_statement(p, STMT_ARM, $NAME, @NAME);
        build_body($$, NULL, $body);
    }
    | STAGE NAME body {
        $$ = build_statement(p, STMT_STAGE, $NAME, loc_join(@STAGE, @NAME));
        build_body($$, NULL, $body);
    }
    | expr X call {
        $$ = build_statement(p, STMT_REPEAT, (Name){0}, @$);
        $$->value = $expr;
        $$->call = $call;
    }
    | expr X body {
        $$ = build_statement(p, STMT_REPEAT, (Name){0}, loc_join(@expr, @X));
        build_body($$, $expr, $body);
    }
    | FOR NAME IN expr body {
        $$ = build_statement(p, STMT_FOR, $NAME, loc_join(@FOR, @expr));
        build_body($$, $expr, $body);
    }
    | FOR NAME IN expr[from] DOTDOT expr[to] body {
        $$ = build_statement(p, STMT_FOR, $NAME, loc_join(@FOR, @to));
        build_body($$, $from, $body);
        $$->end = $to;
    }
    ;

/* Two labels or more: of an operator's results. */
results
    : NAME[a] ',' NAME[b] { $$ = (Names){0}; LIST($$, $a); LIST($$, $b); }
    | results[list] ',' NAME { $$ = $list; LIST($$, $NAME); }
    ;

simple
    : LET NAME '=' expr { $$ = build_statement(p, STMT_LET, $NAME, @$); $$->value = $expr; }
    | INPUT NAME '[' items ']' attrs {
        $$ = build_statement(p, STMT_INPUT, $NAME, @$);
        $$->dims = $items;
        $$->args = $attrs;
    }
    | OUTPUT NAME attrs { $$ = build_statement(p, STMT_OUTPUT, $NAME, @$); $$->args = $attrs; }
    | TAP NAME { $$ = build_statement(p, STMT_TAP, $NAME, @$); }
    | TAP { $$ = build_statement(p, STMT_TAP, (Name){0}, @$); }
    | BATCH expr { $$ = build_statement(p, STMT_BATCH, (Name){0}, @$); $$->value = $expr; }
    | USE NAMING NAME { $$ = build_statement(p, STMT_USE, $NAME, @$); }
    | NAMES NAME {
        syntax_old_naming(p->d, $NAME, @$);
        $$ = build_statement(p, STMT_USE, $NAME, @$);
    }
    | default { $$ = $default; }
    | FROM NAME { $$ = build_statement(p, STMT_FROM, $NAME, @$); }
    ;

default
    : DEFAULT NAME words {
        $$ = build_statement(p, STMT_DEFAULT, $NAME, @$);
        $$->call = call_new(p->arena, $NAME, $words, false, loc_join(@NAME, @words));
    }
    ;

cases
    : %empty { $$ = NEW(p->arena, Cases); }
    | cases END
    | cases[list] case END { $$ = $list; LIST(*$$, $case); }
    | cases error END { $$ = $1; yyerrok; }
    ;

case
    : exprs ARROW expr { $$ = (Case){$exprs, $expr, @exprs}; }
    | ELSE ARROW expr { $$ = (Case){.value = $expr, .loc = @ELSE}; }
    ;

if
    : IF error { $$ = NULL; }
    | IF error resume body else { $$ = NULL; }
    | IF expr body else {
        $$ = build_statement(p, STMT_IF, (Name){0}, loc_join(@IF, @expr));
        build_body($$, $expr, $body);
        $$->other = $else;
    }
    ;

else
    : %empty { $$ = (Stmts){0}; }
    | ELSE body { $$ = $body; }
    | ELSE if { $$ = (Stmts){0}; if ($if) LIST($$, $if); }
    ;

/* ---- calls and their arguments ---- */

call
    : NAME { $$ = call_new(p->arena, $NAME, (Args){0}, false, @$); }
    | NAME words { $$ = call_new(p->arena, $NAME, $words, false, @$); }
    | paren_call
    ;

paren_call: NAME CALL_OPEN args ')' { $$ = call_new(p->arena, $NAME, $args, true, @$); };

/* Separated by blanks: conv 3x3 4 * n stride=2. */
words
    : arg { $$ = (Args){0}; LIST($$, $arg); }
    | words[list] arg { $$ = $list; LIST($$, $arg); }
    ;

/* Of a port: words that may be none. */
attrs
    : %empty { $$ = (Args){0}; }
    | attrs[list] port_arg { $$ = $list; LIST($$, $port_arg); }
    ;

/* Separated by commas. */
args
    : %empty { $$ = (Args){0}; }
    | arg_list
    | arg_list ','
    ;

arg_list
    : arg { $$ = (Args){0}; LIST($$, $arg); }
    | arg_list[list] ',' arg { $$ = $list; LIST($$, $arg); }
    ;

arg
    : expr { $$ = (Arg){{0}, $expr, NULL}; }
    | NAME '=' expr { $$ = (Arg){$NAME, $expr, NULL}; }
    ;

port_arg
    : arg
    | NAME '=' expr[from] DOTDOT expr[to] { $$ = (Arg){$NAME, $from, $to}; }
    ;

/* ---- expressions ---- */

items
    : %empty { $$ = (Exprs){0}; }
    | exprs
    | exprs ','
    ;

exprs
    : expr { $$ = (Exprs){0}; LIST($$, $expr); }
    | exprs[list] ',' expr { $$ = $list; LIST($$, $expr); }
    ;

expr
    : INTEGER { $$ = expr_int(p->arena, $INTEGER, @$); }
    | REAL { $$ = expr_new(p->arena, EXPR_REAL, @$); $$->real = $REAL; }
    | PAIR { $$ = build_pair(p, $PAIR, @$); }
    | STRING { $$ = expr_text(p->arena, EXPR_STRING, $STRING); }
    | NAME { $$ = expr_text(p->arena, EXPR_NAME, $NAME); }
    | TRUE { $$ = expr_new(p->arena, EXPR_BOOL, @$); $$->truth = true; }
    | FALSE { $$ = expr_new(p->arena, EXPR_BOOL, @$); }
    | paren_call { $$ = build_shallow(p, expr_call(p->arena, $paren_call)); }
    | '(' expr[inner] ')' { $$ = $inner; }
    | '(' ')' { $$ = expr_list(p->arena, (Exprs){0}, @$); }
    | '(' exprs ',' ')' { $$ = build_shallow(p, expr_list(p->arena, $exprs, @$)); }
    | '(' exprs[list] ',' expr[last] ')' {
        LIST($list, $last);
        $$ = build_shallow(p, expr_list(p->arena, $list, @$));
    }
    | CASE expr[subject] CASE_OPEN cases CASE_CLOSE {
        $$ = build_shallow(p, expr_case(p->arena, $subject, $cases, @$));
     }
    | expr[a] '[' expr[b] ']' {
        $$ = build_operation(p, EXPR_INDEX, OPERATOR_OR, $a, $b, NULL, @$);
    }
    | UMINUS expr[a] { $$ = build_operation(p, EXPR_UNARY, OPERATOR_NEG, $a, NULL, NULL, @$); }
    | NOT expr[a] { $$ = build_operation(p, EXPR_UNARY, OPERATOR_NOT, $a, NULL, NULL, @$); }
    | expr[a] '*' expr[b] { $$ = BINARY(MUL, $a, $b, @$); }
    | expr[a] '/' expr[b] { $$ = BINARY(DIV, $a, $b, @$); }
    | expr[a] FLOORDIV expr[b] { $$ = BINARY(FLOORDIV, $a, $b, @$); }
    | expr[a] '%' expr[b] { $$ = BINARY(MOD, $a, $b, @$); }
    | expr[a] '+' expr[b] { $$ = BINARY(ADD, $a, $b, @$); }
    | expr[a] '-' expr[b] { $$ = BINARY(SUB, $a, $b, @$); }
    | expr[a] EQ expr[b] { $$ = BINARY(EQ, $a, $b, @$); }
    | expr[a] NE expr[b] { $$ = BINARY(NE, $a, $b, @$); }
    | expr[a] '<' expr[b] { $$ = BINARY(LT, $a, $b, @$); }
    | expr[a] LE expr[b] { $$ = BINARY(LE, $a, $b, @$); }
    | expr[a] '>' expr[b] { $$ = BINARY(GT, $a, $b, @$); }
    | expr[a] GE expr[b] { $$ = BINARY(GE, $a, $b, @$); }
    | expr[a] AND expr[b] { $$ = BINARY(AND, $a, $b, @$); }
    | expr[a] OR expr[b] { $$ = BINARY(OR, $a, $b, @$); }
    | expr[a] '?' expr[b] ':' expr[c] {
        $$ = build_operation(p, EXPR_CHOICE, OPERATOR_OR, $a, $b, $c, @$);
    }
    | expr[a] THEN expr[b] {
        $$ = build_operation(p, EXPR_THEN, OPERATOR_OR, $a, $b, NULL, @$);
    }
    ;

%%

/* ---- errors ---- */

/* bison's own messages: its stack is full. */
static void yyerror(const Loc *loc, Parse *p, const char *message)
{
    (void)message;
    diag_error(p->d, *loc, "the text nests too deeply");
    diag_note(p->d, *loc, "a block of its own can take a part of it");
}

static int yyreport_syntax_error(const yypcontext_t *context, Parse *p)
{
    enum { MOST = YYNTOKENS };
    yysymbol_kind_t kinds[MOST];
    const char *expected[MOST];
    int n = yypcontext_expected_tokens(context, kinds, MOST);
    for (int i = 0; i < n; i++)
        expected[i] = yysymbol_name(kinds[i]);
    syntax_error(&p->lexer, yysymbol_name(yypcontext_token(context)), expected, n > 0 ? n : 0);
    return 0;
}

static void parse(Parse *p, Arena *arena, int file, int start, Diag *d)
{
    p->arena = arena;
    p->d = d;
    lex_open(&p->lexer, arena, file, start, d);
    /* Its result says no more than the messages do. */
    (void)rnc_yyparse(p);
}

Ast *parse_file(Arena *arena, int file, Diag *d)
{
    Parse p = {.ast = NEW(arena, Ast)};
    parse(&p, arena, file, START_FILE, d);
    return p.ast;
}

Expr *parse_define(Arena *arena, int file, Diag *d)
{
    Parse p = {0};
    int errors = d->errors;
    parse(&p, arena, file, START_DEFINE, d);
    return d->errors == errors ? p.define : NULL;
}
