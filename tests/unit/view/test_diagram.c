/* test_diagram.c: pictures of random networks hold what holds of every picture: boxes lie
 * apart and in their frames, each wire leads from its box to all that read it, and none
 * crosses a box or shares a line with another one. */
#include "view/diagram.h"
#include "netgen.h"
#include "nets.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- networks ---- */

/* Paths for nodes that have none: stages of blocks of arms, a few nodes each. */
static void give_paths(NetTest *t)
{
    int stage = 0, block = 0, arm = 0, deep = 0;
    for (int i = 0; i < t->net->nodes.n; i++) {
        Node *node = t->net->nodes.at[i];
        if (netgen_int(t, 0, 3) == 0)
            deep = netgen_int(t, 0, 3);
        stage += netgen_int(t, 0, 11) == 0;
        block += netgen_int(t, 0, 5) == 0;
        arm += netgen_int(t, 0, 2) == 0;
        if (deep == 0 || node->op == OP_INPUT)
            continue;
        node->name = deep == 1 ? arena_printf(t->arena, "s%d.%s", stage, node->name)
                     : deep == 2
                         ? arena_printf(t->arena, "s%d.%d.%s", stage, block, node->name)
                         : arena_printf(t->arena, "s%d.%d.a%d.%s", stage, block, arm, node->name);
    }
}

/* ---- what holds ---- */

static bool apart(const Box *a, const Box *b)
{
    return a->x + a->w <= b->x || b->x + b->w <= a->x || a->y + a->h <= b->y || b->y + b->h <= a->y;
}

static bool inside(const Box *box, const Box *frame)
{
    return box->x >= frame->x && box->y >= frame->y && box->x + box->w <= frame->x + frame->w &&
           box->y + box->h <= frame->y + frame->h;
}

static int check_boxes(const Box *frame)
{
    int bad = 0;
    for (int i = 0; i < frame->boxes.n; i++) {
        const Box *box = frame->boxes.at[i];
        bad += box->parent != frame || !inside(box, frame);
        for (int k = 0; k < i; k++)
            bad += !apart(box, frame->boxes.at[k]);
        bad += check_boxes(box);
    }
    return bad;
}

static bool same(Point a, Point b)
{
    return fabs(a.x - b.x) < 2 && fabs(a.y - b.y) < 0.5;
}

/* The wire's hops, from its box's lower side, lead to the upper side of each reader. */
static int check_way(const Wire *wire)
{
    int bad = 0, arrows = 0;
    bool *reached = calloc((size_t)wire->hops.n + 1, sizeof *reached), more = true;
    const Point begin = {wire->from->x + wire->from->w / 2, wire->from->y + wire->from->h};
    while (more && reached) {
        more = false;
        for (int i = 0; i < wire->hops.n; i++) {
            bool on = same(wire->hops.at[i].at[0], begin);
            for (int k = 0; k < wire->hops.n; k++)
                on |= reached[k] &&
                      same(wire->hops.at[k].at[wire->hops.at[k].n - 1], wire->hops.at[i].at[0]);
            more |= on && !reached[i];
            reached[i] |= on;
        }
    }
    for (int i = 0; i < wire->hops.n; i++) {
        bad += !reached[i];
        arrows += wire->hops.at[i].arrow;
    }
    bad += arrows != wire->to.n;
    for (int t = 0; t < wire->to.n; t++) {
        const Box *to = wire->to.at[t];
        bool found = false;
        for (int i = 0; i < wire->hops.n; i++) {
            const Point end = wire->hops.at[i].at[wire->hops.at[i].n - 1];
            found |=
                wire->hops.at[i].arrow && end.y == to->y && end.x > to->x && end.x < to->x + to->w;
        }
        bad += !found;
    }
    free(reached);
    return bad;
}

/* Every piece is straight down, up or across, and touches the inside of no layer. */
static int check_pieces(const Diagram *d, const Wire *wire)
{
    int bad = 0;
    for (int i = 0; i < wire->hops.n; i++) {
        const Hop *hop = &wire->hops.at[i];
        for (int k = 0; k + 1 < hop->n; k++) {
            const Point a = hop->at[k], b = hop->at[k + 1];
            bad += fabs(a.x - b.x) > 1 && fabs(a.y - b.y) > 1e-9;
            for (int n = 0; n < d->leaves.n; n++) {
                const Box *box = d->leaves.at[n];
                bad += fmax(a.x, b.x) > box->x && fmin(a.x, b.x) < box->x + box->w &&
                       fmax(a.y, b.y) > box->y && fmin(a.y, b.y) < box->y + box->h;
            }
        }
    }
    return bad;
}

/* Pixels of line that two wires share. */
static double shared(const Wire *one, const Wire *other)
{
    double sum = 0;
    for (int i = 0; i < one->hops.n; i++) {
        for (int k = 0; k + 1 < one->hops.at[i].n; k++) {
            const Point a = one->hops.at[i].at[k], b = one->hops.at[i].at[k + 1];
            for (int j = 0; j < other->hops.n; j++) {
                for (int m = 0; m + 1 < other->hops.at[j].n; m++) {
                    const Point c = other->hops.at[j].at[m], e = other->hops.at[j].at[m + 1];
                    if (a.x == b.x && c.x == e.x && a.x == c.x)
                        sum += fmax(0, fmin(fmax(a.y, b.y), fmax(c.y, e.y)) -
                                           fmax(fmin(a.y, b.y), fmin(c.y, e.y)));
                    if (a.y == b.y && c.y == e.y && a.y == c.y)
                        sum += fmax(0, fmin(fmax(a.x, b.x), fmax(c.x, e.x)) -
                                           fmax(fmin(a.x, b.x), fmin(c.x, e.x)));
                }
            }
        }
    }
    return sum;
}

static void check(const Net *net, bool expand, Arena *arena, unsigned seed)
{
    Diagram *d = diagram_make(net, NULL, expand, arena);
    diagram_layout(d);
    const int boxes = check_boxes(d->page);
    int ways = 0, pieces = 0;
    double lines = 0;
    for (int i = 0; i < d->wires.n; i++) {
        ways += check_way(d->wires.at[i]);
        pieces += check_pieces(d, d->wires.at[i]);
        for (int k = 0; k < i; k++)
            lines += shared(d->wires.at[i], d->wires.at[k]);
    }
    CU_ASSERT_EQUAL(boxes, 0);
    CU_ASSERT_EQUAL(ways, 0);
    CU_ASSERT_EQUAL(pieces, 0);
    CU_ASSERT_EQUAL(lines, 0);
    if (boxes || ways || pieces || lines > 0)
        printf("network %u: %d boxes, %d ways, %d pieces, %g pixels of line\n", seed, boxes, ways,
               pieces, lines);
}

/* ---- tests ---- */

static void test_random(void)
{
    for (unsigned seed = 1; seed <= 400; seed++) {
        NetTest t;
        netgen_begin(&t, seed);
        netgen_random(&t, 10 + netgen_int(&t, 0, 50));
        if (seed % 3)
            give_paths(&t);
        check(t.net, seed % 2, t.arena, seed);
        netgen_end(&t);
    }
}

static void test_known(void)
{
    static const int layers[] = {3, 4, 2};
    for (int i = 0; i < 4; i++) {
        NetTest t;
        netgen_begin(&t, 1);
        netgen_resnet(&t, i & 1, 64, i & 2);
        check(t.net, false, t.arena, 1000 + (unsigned)i);
        netgen_end(&t);
    }
    Bench b;
    bench_begin(&b);
    make_densenet(&b, 64, 8, layers, 3);
    check(b.net, false, b.arena, 2000);
    bench_end(&b);
}

/* A thousand layers take no time to speak of, and all are there. */
static void test_deep(void)
{
    Bench b;
    bench_begin(&b);
    make_cifar_resnet(&b, 50);
    Diagram *d = diagram_make(b.net, NULL, true, b.arena);
    int nodes = 0;
    diagram_layout(d);
    for (int i = 0; i < d->leaves.n; i++) {
        for (const char *c = d->leaves.at[i]->tip; *c; c++)
            nodes += c[0] == ':' && c[1] == ' ';
    }
    CU_ASSERT_EQUAL(nodes, b.net->nodes.n + b.net->outputs.n);
    CU_ASSERT(d->w > 0 && d->h > 0 && d->w / d->h < 6 && d->h / d->w < 6);
    bench_end(&b);
}

void suite_diagram(void)
{
    CU_pSuite s = CU_add_suite("diagram", NULL, NULL);
    CU_add_test(s, "random networks", test_random);
    CU_add_test(s, "ResNets and a DenseNet", test_known);
    CU_add_test(s, "many layers", test_deep);
}
