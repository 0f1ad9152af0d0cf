/* onnx_fold_math.c: arithmetic on numbers that are known, element by element. */
#include "import/onnx_fold.h"

#include <math.h>

typedef double (*Binary)(double a, double b);
typedef int64_t (*BinaryWhole)(int64_t a, int64_t b);

#define BINARY(name, expression)                      \
    static double real_##name(double a, double b)     \
    {                                                 \
        return (double)(expression);                  \
    }                                                 \
    static int64_t whole_##name(int64_t a, int64_t b) \
    {                                                 \
        return (int64_t)(expression);                 \
    }
BINARY(Equal, a == b)
BINARY(Less, a < b)
BINARY(LessOrEqual, a <= b)
BINARY(Greater, a > b)
BINARY(GreaterOrEqual, a >= b)
BINARY(And, a != 0 && b != 0)
BINARY(Or, a != 0 || b != 0)
BINARY(Max, a > b ? a : b)
BINARY(Min, a < b ? a : b)

/* Whole numbers wrap as they do everywhere. */
#define WRAPPING(name, op)                            \
    static double real_##name(double a, double b)     \
    {                                                 \
        return a op b;                                \
    }                                                 \
    static int64_t whole_##name(int64_t a, int64_t b) \
    {                                                 \
        return (int64_t)((uint64_t)a op(uint64_t) b); \
    }
WRAPPING(Add, +)
WRAPPING(Sub, -)
WRAPPING(Mul, *)

static double real_Div(double a, double b)
{
    return a / b;
}

/* Towards zero; nothing is divided by -1 where that overflows. */
static int64_t whole_Div(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? whole_Sub(0, a) : a / b;
}

static int64_t whole_Mod(int64_t a, int64_t b)
{
    const int64_t rest = b == 0 || b == -1 ? 0 : a % b;
    return rest && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t whole_Pow(int64_t a, int64_t b)
{
    return whole_of(pow((double)a, (double)b));
}

static const struct {
    const char *op;
    Binary real;
    BinaryWhole whole;
    bool truth;
} binaries[] = {
    {"Add", real_Add, whole_Add, false},
    {"Sub", real_Sub, whole_Sub, false},
    {"Mul", real_Mul, whole_Mul, false},
    {"Div", real_Div, whole_Div, false},
    {"Mod", fmod, whole_Mod, false},
    {"Pow", pow, whole_Pow, false},
    {"Min", real_Min, whole_Min, false},
    {"Max", real_Max, whole_Max, false},
    {"Equal", real_Equal, whole_Equal, true},
    {"Less", real_Less, whole_Less, true},
    {"LessOrEqual", real_LessOrEqual, whole_LessOrEqual, true},
    {"Greater", real_Greater, whole_Greater, true},
    {"GreaterOrEqual", real_GreaterOrEqual, whole_GreaterOrEqual, true},
    {"And", real_And, whole_And, true},
    {"Or", real_Or, whole_Or, true},
};

/* The extents of what n operands make together, and how each is stepped through. */
static bool broadcast(const Numbers *x, int n, int *rank, int64_t *dims,
                      int64_t steps[][ONNX_RANK_MOST])
{
    *rank = 0;
    for (int k = 0; k < n; k++)
        *rank = x[k].rank > *rank ? x[k].rank : *rank;
    for (int i = 0; i < *rank; i++)
        dims[i] = 1;
    for (int k = 0; k < n; k++) {
        int64_t own[ONNX_RANK_MOST];
        row_steps(x[k].rank, x[k].dims, own);
        for (int i = 0; i < *rank; i++) {
            const int at_own = i - (*rank - x[k].rank);
            const int64_t extent = at_own < 0 ? 1 : x[k].dims[at_own];
            if (extent != 1 && dims[i] != 1 && extent != dims[i])
                return false;
            dims[i] = extent == 1 ? dims[i] : extent;
            steps[k][i] = extent == 1 ? 0 : own[at_own];
        }
    }
    return true;
}

/* Moves index[] on by one; `from` follows. */
static void next(int rank, const int64_t *dims, int64_t *index, int n, int64_t *from,
                 int64_t steps[][ONNX_RANK_MOST])
{
    for (int i = rank - 1; i >= 0; i--) {
        const bool more = ++index[i] < dims[i];
        for (int k = 0; k < n; k++)
            from[k] += more ? steps[k][i] : -steps[k][i] * (dims[i] - 1);
        if (more)
            return;
        index[i] = 0;
    }
}

static bool fold_pair(Work *w, const Numbers x[2], int op)
{
    int64_t steps[2][ONNX_RANK_MOST], dims[ONNX_RANK_MOST], index[ONNX_RANK_MOST] = {0};
    int64_t from[2] = {0}, n = 1, *ints;
    float *floats;
    int rank;
    const bool whole = x[0].ints && x[1].ints;
    if (!x[0].ints != !x[1].ints || !broadcast(x, 2, &rank, dims, steps) ||
        !room(w, rank, dims, whole || binaries[op].truth, &ints, &floats))
        return false;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    for (int64_t i = 0; i < n; i++) {
        const double real =
            whole ? 0 : binaries[op].real(number_at(&x[0], from[0]), number_at(&x[1], from[1]));
        if (!ints)
            floats[i] = (float)real;
        else
            ints[i] =
                whole ? binaries[op].whole(x[0].ints[from[0]], x[1].ints[from[1]]) : real != 0;
        next(rank, dims, index, 2, from, steps);
    }
    give_numbers(w, 0, rank, dims, ints, floats);
    return true;
}

/* Clip with bounds that are operands: of pads, which are not below 0. */
bool fold_Clip(Work *w)
{
    Numbers x, bound[2];
    int64_t *ints;
    float *floats;
    bool has[2];
    for (int i = 0; i < 2; i++) {
        has[i] = numbers(w, 1 + i, &bound[i]);
        if (has_operand(w, 1 + i) && (!has[i] || bound[i].n != 1))
            return false;
    }
    if (!numbers(w, 0, &x) || !room(w, x.rank, x.dims, x.ints != NULL, &ints, &floats))
        return false;
    for (int64_t i = 0; i < x.n; i++) {
        double y = number_at(&x, i);
        if (has[0])
            y = real_Max(y, number_at(&bound[0], 0));
        if (has[1])
            y = real_Min(y, number_at(&bound[1], 0));
        if (ints)
            ints[i] = whole_of(y);
        else
            floats[i] = (float)y;
    }
    give_numbers(w, 0, x.rank, x.dims, ints, floats);
    return true;
}

bool fold_Where(Work *w)
{
    Numbers x[3];
    int64_t steps[3][ONNX_RANK_MOST], dims[ONNX_RANK_MOST], index[ONNX_RANK_MOST] = {0};
    int64_t from[3] = {0}, n = 1, *ints;
    float *floats;
    int rank;
    for (int i = 0; i < 3; i++) {
        if (!numbers(w, i, &x[i]))
            return false;
    }
    if (!x[0].ints || !x[1].ints != !x[2].ints || !broadcast(x, 3, &rank, dims, steps) ||
        !room(w, rank, dims, x[1].ints != NULL, &ints, &floats))
        return false;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    for (int64_t i = 0; i < n; i++) {
        const int k = x[0].ints[from[0]] ? 1 : 2;
        if (ints)
            ints[i] = x[k].ints[from[k]];
        else
            floats[i] = x[k].floats[from[k]];
        next(rank, dims, index, 3, from, steps);
    }
    give_numbers(w, 0, rank, dims, ints, floats);
    return true;
}

static double negated(double x)
{
    return -x;
}

static double inverse(double x)
{
    return 1 / x;
}

static double not_true(double x)
{
    return x == 0;
}

static const struct {
    const char *op;
    double (*of)(double x);
} unaries[] = {{"Floor", floor},  {"Ceil", ceil},         {"Sqrt", sqrt}, {"Exp", exp},
               {"Log", log},      {"Neg", negated},       {"Abs", fabs},  {"Round", nearbyint},
               {"Not", not_true}, {"Reciprocal", inverse}};

static bool fold_one(Work *w, int op)
{
    Numbers x;
    int64_t *ints;
    float *floats;
    if (!numbers(w, 0, &x) || !room(w, x.rank, x.dims, x.ints != NULL, &ints, &floats))
        return false;
    for (int64_t i = 0; i < x.n; i++) {
        const double y = unaries[op].of(number_at(&x, i));
        if (ints)
            ints[i] = whole_of(y);
        else
            floats[i] = (float)y;
    }
    give_numbers(w, 0, x.rank, x.dims, ints, floats);
    return true;
}

bool fold_reduced(Work *w, bool product)
{
    Numbers x;
    if (!numbers(w, 0, &x) || x.rank > 1 || !x.ints)
        return false;
    int64_t *n = NEW(w->arena, int64_t);
    const int64_t one = 1;
    *n = product;
    for (int64_t i = 0; i < x.n; i++)
        *n = product ? whole_Mul(*n, x.ints[i]) : whole_Add(*n, x.ints[i]);
    give_known(w, 0, known_ints(w->arena, (int)(x.rank && attr_int(w, "keepdims", 1)), &one, n));
    return true;
}

bool folds_arithmetic(const char *op)
{
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        if (str_eq(op, binaries[i].op))
            return true;
    }
    for (size_t i = 0; i < sizeof unaries / sizeof *unaries; i++) {
        if (str_eq(op, unaries[i].op))
            return true;
    }
    return false;
}

bool fold_arithmetic(Work *w)
{
    const char *op = w->node->op;
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        Numbers x[2];
        if (str_eq(op, binaries[i].op))
            return w->node->n_in == 2 && numbers(w, 0, &x[0]) && numbers(w, 1, &x[1]) &&
                   fold_pair(w, x, (int)i);
    }
    for (size_t i = 0; i < sizeof unaries / sizeof *unaries; i++) {
        if (str_eq(op, unaries[i].op))
            return fold_one(w, (int)i);
    }
    return false;
}
