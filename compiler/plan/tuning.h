/* tuning.h: a tuning: a text file that says how to compute steps, as measured on a machine.
 *
 *   rnc tuning 1
 *   conv 3x3 stride 1 groups 1 64x56x56 -> 64x56x56 images 1: winograd 4
 *     avx2: pixels 6, vectors 2, group 12
 *
 * A row holds for all convolutions or dense layers of one geometry, in any network.  It gives the
 * method, then for each instruction set the knobs of shapes.def. What a row leaves out
 * stays as the cost model and knobs.c have it.  Any file gives correct results: knobs stay within
 * tuning_limits, and a method that does not fit is not used.
 */
#ifndef RNC_TUNING_H
#define RNC_TUNING_H

#include "plan/plan.h"

/* The geometry of a convolution or dense layer: channels, rows, pixels. */
typedef struct TuningKey {
    Op op; /* OP_CONV or OP_DENSE */
    int kernel[2], stride[2], dilation[2], groups;
    int in[3], out[3];
    int images;
    bool residual;
} TuningKey;

typedef struct TuningRow {
    TuningKey key;
    const char *method;      /* Method.word: "direct", "winograd 4 taps" */
    unsigned set[ISA_COUNT]; /* bit 1 << k: knob k is given */
    rnc_knobs knobs[ISA_COUNT];
    const char *comment; /* printed after the method, or NULL */
    Loc loc;
} TuningRow;

struct Tuning {
    VEC(TuningRow) rows;
    const char *comment; /* a line printed under the head, or NULL */
};

/* What a knob may be. */
typedef struct TuningLimit {
    int least, most;
} TuningLimit;
extern const TuningLimit tuning_limits[KNOB_COUNT];
int *tuning_knob(rnc_knobs *knobs, int k);

/* `node` is a convolution or dense layer. */
TuningKey tuning_key(const Node *node);
bool tuning_key_eq(const TuningKey *a, const TuningKey *b);
/* "conv 3x3 stride 1 groups 1 64x56x56 -> 64x56x56 images 1" */
void tuning_print_key(Buf *out, const TuningKey *key);
/* The row of a node, or NULL; `tuning` may be NULL. */
const TuningRow *tuning_row(const Tuning *tuning, const Node *node);
/* Sets the knobs of *knobs that a row gives for an ISA; `row` may be NULL. */
void tuning_apply(const TuningRow *row, Isa isa, rnc_knobs *knobs);
/* The number of rows that apply to some node of the network. */
int tuning_used(const Tuning *tuning, const Net *net);

void tuning_print(Buf *out, const Tuning *tuning);
/* tuningread.c: reads the rows of a text, or of the file `path`; NULL after messages. */
Tuning *tuning_parse(Arena *arena, const SrcMap *src, int file, Diag *d);
Tuning *tuning_read(Arena *arena, SrcMap *src, const char *path, Diag *d);

#endif
