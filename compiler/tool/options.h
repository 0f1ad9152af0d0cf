/* options.h: the command line, as data. */
#ifndef RNC_OPTIONS_H
#define RNC_OPTIONS_H

#include "net/eval.h"
#include "compile.h"
#include "train/set.h"

typedef enum Command {
#define COMMAND(id, letter, usage, brief, what, doc) COMMAND_##id,
#include "tool/options.def"
    COMMANDS
} Command;

enum { ALL_ISAS = (1u << ISA_COUNT) - 1 };

typedef enum ReportFormat { REPORT_NONE, REPORT_TEXT, REPORT_JSON } ReportFormat;

typedef enum GraphFormat { GRAPH_BY_NAME, GRAPH_SVG, GRAPH_DOT } GraphFormat;

/* What verify draws for inputs: ordinary numbers, or among these one outlier, infinity or NaN. */
typedef enum InputKind { INPUTS_RANDOM, INPUTS_OUTLIERS, INPUTS_SPECIALS } InputKind;

typedef VEC(const char *) Words;

typedef struct Options {
    Command command;
    bool help, version;
    CompileOptions compile; /* emit.name and what follows from it are left to names_of_outputs() */
    const char *output;     /* -o, or NULL */
    const char *name;       /* --name, or NULL */
    ReportFormat report;    /* --report, and --format of summary */
    bool quiet, verbose;
    bool native; /* --machine native or measure: the machine's numbers are worth a line */

    /* The lists to which the pointers of `compile` point. */
    Words weights, defines, include_dirs, taps, passes;
    bool some_passes; /* --passes was given, though perhaps with none */
    const char *init; /* --init as written, or NULL */
    Words shown;      /* options worth repeating in the emitted head comment: no paths */

    Words inputs;   /* eval: "NAME=FILE.npy" or "FILE.npy" */
    Words tensors;  /* eval: paths of nodes to write besides the outputs */
    const char *at; /* eval: where in each tensor printing begins, "1,1,0", or NULL */
    const char *output_dir;
    EvalPrecision precision;
    bool random; /* inputs drawn from `seed` */
    uint64_t seed;
    int runs; /* one after the other; 0: not said */

    bool check_layout; /* fmt */
    Words check;       /* import: archives of inputs and outputs; none, or both */

    double tolerance; /* verify: of each layer, relative; import: of each output */
    bool tolerance_given;
    InputKind input_kind; /* verify */
    int threads;
    int rounds;        /* tune: measured of each candidate */
    const char *table; /* tune: where all that was measured goes, or NULL */
    const char *keep;  /* verify: where the generated files stay */

    bool dependencies;             /* -MD or -MF */
    const char *dependency_file;   /* -MF, or NULL */
    const char *dependency_target; /* -MT, or NULL */
    bool dependency_phony;         /* -MP */

    bool expand;         /* summary, graph: repeated blocks one by one */
    const char *against; /* summary: another network to compare with, or NULL */
    Words against_defines;
    Words folders;    /* curves: of runs */
    rnct_data data;   /* data: what is read, but for its path */
    Words classes;    /* data: the list to which data.classes points */
    int data_threads; /* data, train; 0: one for each processor */

    /* train: what overrides the file's training, and what a run is. */
    const char *train_data, *train_validation, *train_cache; /* or NULL */
    bool resume, rate_given, seed_given;                     /* the seed is `seed` */
    int epochs;                                              /* 0: not said */
    double rate;
    Words except;
    int overfit, save_every, ranks, shards; /* 0: not said */

    GraphFormat graph_format; /* set when options_parse() is through */
} Options;

/* False after messages: a usage error. */
bool options_parse(Options *o, int argc, char *const *argv, Arena *arena, Diag *d);

/* Options.compile.emit from -o, or from the input's name: the C identifier, the
 * header's and the weights file's name.  *base is the outputs' common path
 * without ".c".  False after a message. */
bool names_of_outputs(Options *o, Arena *arena, Diag *d, const char **base);
/* The input's name in the current folder, with `ending` (".onnx") for its own. */
const char *default_output(const Options *o, const char *ending, Arena *arena);
/* -o, which must have that ending, or the default; NULL after a message. */
const char *output_ending(const Options *o, const char *ending, Arena *arena, Diag *d);

/* The help of one command. */
void options_help(Buf *out, Command command);

#endif
