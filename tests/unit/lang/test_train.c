/* test_train.c: the rows of train.def, and trainings from text to values and back. */
#include "lang/lower.h"
#include "net/train.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

static jmp_buf oom;

#define NET "net n(classes = 10) {\n input image[3, 8, 8]\n conv 3x3 classes\n output y\n}\n"

/* The training of NET and the text, with `define` for -D unless it is NULL; NULL after messages. */
static const Train *train_of(Arena *arena, const char *text, const char *define, const Net **net)
{
    SrcMap *map = NEW(arena, SrcMap);
    map->arena = arena;
    Diag d = diag_new(map, arena);
    const char *all = arena_printf(arena, NET "%s", text);
    const LowerOptions options = {.train = true, .defines = &define, .n_defines = define != NULL};
    const Net *made = lower_file(arena, map, src_add(map, "t.net", all, strlen(all)), &options, &d);
    if (net)
        *net = made;
    return made ? made->train : NULL;
}

static const char *text_of(Arena *arena, const Train *train)
{
    Buf out = buf_new(arena);
    train_print(&out, train);
    return buf_text(&out);
}

/* Every default that is a number is one and in range; what must be given comes first. */
static void test_rows(void)
{
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const TrainRow *row = train_row((TrainItem)i);
        CU_ASSERT(row->doc[0] != '\0');
        CU_ASSERT(train_row(train_statement(row->statement))->flags == row->flags);
        for (int k = 0; k < row->n_values; k++) {
            const TrainValue *v = &row->values[k];
            char *end = NULL;
            CU_ASSERT(v->offset < sizeof(Train));
            CU_ASSERT(v->def || v->position == 0);
            if (v->kind != TRAIN_VALUE_INT && v->kind != TRAIN_VALUE_REAL)
                continue;
            CU_ASSERT(v->least < v->most);
            const double value = v->def ? strtod(v->def, &end) : v->least;
            const bool by_like = v->def && str_eq(v->def, "as `like` has it");
            CU_ASSERT(by_like || !end || *end == '\0');
            CU_ASSERT(by_like || (value >= v->least && value <= v->most));
        }
    }
}

/* Text, its text form, and the text form of that. */
static void reads_back(const char *text)
{
    Arena *arena = arena_new(&oom);
    const Train *train = train_of(arena, text, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(train);
    const char *first = text_of(arena, train);
    const Train *again = train_of(arena, first, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT_STRING_EQUAL(text_of(arena, again), first);
    arena_free(arena);
}

static void test_text(void)
{
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const TrainRow *row = train_row((TrainItem)i);
        const bool schedule = str_eq(row->statement, "schedule"),
                   clip = str_eq(row->statement, "clip");
        if (!schedule && !clip && !(row->flags & EACH))
            continue;
        char text[200];
        snprintf(text, sizeof text, "train t { epochs 3 ; batch 2 ; optimizer adam ; %s %s %s }\n",
                 row->statement, row->kind,
                 clip                        ? "2.5"
                 : str_eq(row->kind, "step") ? "(1, 2.25)"
                                             : "");
        reads_back(text);
    }
    reads_back("train t { epochs 1 ; batch 1 ; optimizer sgd 0.1 ; freeze \"a\\\"b\" \"c.*\"\n"
               "weights \"w.h5\" except=\"fc.*\" ; decay 1e-4 except=(\"*.bias\", \"bn*\")\n"
               "validation 0.25 ; stop 4 ; seed 3 ; init he_normal ; average 0.99 ; accumulate 3\n"
               "loss mean_squared_error }\n");
}

static void test_defaults(void)
{
    Arena *arena = arena_new(&oom);
    const Train *t =
        train_of(arena, "train t { epochs 1 ; batch 2 ; optimizer adam }\n", NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    CU_ASSERT(t->loss == TRAIN_CROSS_ENTROPY && t->schedule == TRAIN_CONSTANT);
    CU_ASSERT(t->optimizer == TRAIN_ADAM && t->epsilon == 1e-8 && t->beta2 == 0.999);
    CU_ASSERT(t->accumulate == 1 && t->seed == 0 && t->validation == 0 && t->decay == 0);
    CU_ASSERT(t->freeze.n == 0 && t->weights == NULL && t->init == INIT_NONE);
    t = train_of(arena, "train t { epochs 1 ; batch 2 ; optimizer adamw like=keras }\n", NULL,
                 NULL);
    CU_ASSERT(t && t->epsilon == 1e-7);
    t = train_of(arena, "train t { epochs 1 ; batch 2 ; optimizer adam epsilon=0 like=keras }\n",
                 NULL, NULL);
    CU_ASSERT(t && t->epsilon == 0);
    arena_free(arena);
}

/* A name of -D is the training's if it has it, which passes on what it likes; else the net's. */
static void test_defines(void)
{
    static const char text[] = "train t(classes = 6, rate = 0.5) {\n network n(classes = classes)\n"
                               " epochs 1 ; batch 2 ; optimizer sgd rate }\n";
    static const char alone[] = "train t(rate = 0.5) { epochs 1 ; batch 2 ; optimizer sgd rate }\n";
    Arena *arena = arena_new(&oom);
    const Net *net;
    CU_ASSERT_FATAL(train_of(arena, text, NULL, &net) && net->outputs.at[0].node->type.c == 6);
    CU_ASSERT_FATAL(train_of(arena, text, "classes=7", &net) &&
                    net->outputs.at[0].node->type.c == 7);
    const Train *t = train_of(arena, text, "rate=2", &net);
    CU_ASSERT_FATAL(t && t->rate == 2 && net->outputs.at[0].node->type.c == 6);
    CU_ASSERT_FATAL(train_of(arena, alone, "classes=7", &net) &&
                    net->outputs.at[0].node->type.c == 7);
    CU_ASSERT(!train_of(arena, alone, "class=7", &net));
    arena_free(arena);
}

void suite_train(void);
void suite_train(void)
{
    CU_pSuite s = CU_add_suite("train", NULL, NULL);
    CU_add_test(s, "the rows hold what they say", test_rows);
    CU_add_test(s, "the text form reads back", test_text);
    CU_add_test(s, "what is not said", test_defaults);
    CU_add_test(s, "-D reaches the training, then the net", test_defines);
}
