/* help.c: the help of each command, from the rows of options.def. */
#include "tool/options.h"

#include <string.h>

typedef struct HelpRow {
    char letter;
    const char *word, *argument, *commands, *doc;
    const char *section; /* a title instead of an option */
} HelpRow;

static const HelpRow rows[] = {
#define SECTION(commands, title) {0, NULL, NULL, commands, NULL, title},
#define OPTION(id, letter, word, argument, commands, doc) \
    {letter, word, argument, commands, doc, NULL},
#include "tool/options.def"
};
enum { ROWS = sizeof rows / sizeof *rows };
static const char letters[COMMANDS] = {
#define COMMAND(id, letter) letter,
#include "tool/options.def"
};

static const char *const help_heads[COMMANDS] = {
    [INDEX_compile] =
        "usage: rnc [compile] FILE.net [-w WEIGHTS] [-o FILE.c] [OPTION]...\n"
        "       rnc eval FILE.net -w WEIGHTS ...    compute with the plain interpreter\n"
        "       rnc verify FILE.net -w WEIGHTS ...  compare the C with it, layer by layer\n"
        "       rnc tune FILE.net ...               measure what is fastest on this machine\n"
        "       rnc convert FILE.net -w WEIGHTS ... the weights as safetensors\n"
        "       rnc summary FILE.net ...            its layers, parameters, work and memory\n"
        "       rnc graph FILE.net -o FILE.svg      a picture of it\n"
        "       rnc doc                             the operators and their attributes\n"
        "\n"
        "Compiles a network, FILE.net, and its trained weights to C that needs no\n"
        "framework and allocates nothing:\n"
        "\n"
        "    rnc resnet50.net -w resnet50.safetensors     makes resnet50.c, .h and .weights\n"
        "    rnc resnet50.net                             the C alone, its weights later\n"
        "    rnc resnet50.net --init he:1                 random weights, to measure speed\n"
        "\n"
        "'rnc COMMAND --help' says more of the other commands.\n",

    [INDEX_eval] =
        "usage: rnc eval FILE.net -w WEIGHTS (--input FILE.npy | --random SEED) [OPTION]...\n"
        "\n"
        "Computes the network as it is written, before any optimisation, in double\n"
        "precision: slow, and what everything else is compared with.  Prints the\n"
        "outputs' shapes and first values.\n",

    [INDEX_verify] =
        "usage: rnc verify FILE.net -w WEIGHTS [OPTION]...\n"
        "\n"
        "Compiles the network to C, compiles that with $CC (cc), runs it on random input\n"
        "with every instruction set of this CPU and compares each layer with what 'rnc\n"
        "eval' computes.  Names the first layer that differs.\n",

    [INDEX_tune] =
        "usage: rnc tune FILE.net [-o FILE.tuning] [OPTION]...\n"
        "\n"
        "Measures on this machine by which method and with which tiles each kind of layer is\n"
        "computed fastest, and writes that for 'rnc FILE.net --tuning FILE.tuning'.  Compiles\n"
        "what it tries with $CC (cc).  Takes minutes; no weights are needed.\n",

    [INDEX_convert] =
        "usage: rnc convert FILE.net -w WEIGHTS [-o FILE.safetensors] [OPTION]...\n"
        "\n"
        "Writes the network's parameters as one safetensors file, with the network's own\n"
        "names and PyTorch's order of axes, from weights of any format.  What is missing or\n"
        "left over is refused, as when the network is compiled.\n",

    [INDEX_summary] =
        "usage: rnc summary FILE.net [--against OTHER.net] [OPTION]...\n"
        "\n"
        "Prints a line a layer: its kind, what comes out, its parameters and\n"
        "multiply-adds, and where its operands come from; then the sums, and the memory\n"
        "that the C will need.  No weights are needed.  With --against, what two designs\n"
        "differ in.\n",

    [INDEX_graph] =
        "usage: rnc graph FILE.net [-o FILE.svg|FILE.dot] [OPTION]...\n"
        "\n"
        "Draws the network: a box for each layer with what is applied to its result, a\n"
        "frame around each block and stage, repeated blocks once.  Boxes say in a tooltip\n"
        "which line of the .net file they come from.\n",

    [INDEX_doc] = "usage: rnc doc\n"
                  "\n"
                  "Prints the operators and their attributes as Markdown.\n",
};

void options_help(Buf *out, Command command)
{
    enum { COLUMN = 28 };
    int which = 0;
    while (command != (Command)(1 << which))
        which++;
    buf_puts(out, help_heads[which]);
    for (size_t i = 0; i < ROWS; i++) {
        const HelpRow *row = &rows[i];
        if (!strchr(row->commands, letters[which]))
            continue;
        if (row->section) {
            buf_printf(out, "\n%s\n", row->section);
            continue;
        }
        size_t begin = out->n;
        buf_puts(out, "  ");
        if (row->letter)
            buf_printf(out, "-%c, ", row->letter);
        buf_printf(out, "--%s%s%s", row->word, row->argument ? " " : "",
                   row->argument ? row->argument : "");
        if (out->n - begin + 2 > COLUMN)
            buf_printf(out, "\n%*s", COLUMN, "");
        else
            buf_printf(out, "%*s", COLUMN - (int)(out->n - begin), "");
        for (const char *c = row->doc; *c; c++) {
            if (*c == '\n')
                buf_printf(out, "\n%*s", COLUMN, "");
            else
                buf_putc(out, *c);
        }
        buf_putc(out, '\n');
    }
}
