/* ports.c: see ports.h. */
#include "tool/ports.h"

#include <math.h>

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool is_normalised(const Net *net, const Node *node)
{
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *user = net->nodes.at[i];
        if (user->op == OP_NORMALIZE && user->in[0] == node)
            return true;
    }
    return false;
}

/* The number of classes that the labels of an input are below. */
static int classes_of(const Net *net, const Node *labels)
{
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *user = net->nodes.at[i];
        if (user->op == OP_CROSS_ENTROPY && user->in[1] == labels)
            return user->in[0]->type.c;
    }
    return INT_MAX;
}

Type type_of_runs(Type type, int runs)
{
    type.n *= runs;
    return type;
}

/* What the numbers of an input are drawn from, uniformly. */
static void drawn_from(const Net *net, const Port *p, double *low, double *high)
{
    const Range *r = &p->range;
    *low = -1, *high = 1;
    if (r->given) {
        *low = fmax(r->low, -r->typical);
        *high = fmin(r->high, r->typical);
        if (*low >= *high) /* no number of the range is as small */
            *low = r->low, *high = r->high;
    } else if (p->elem == ELEM_U8 || is_normalised(net, p->node)) {
        *low = 0, *high = 255;
    }
}

double port_magnitude(const Net *net, int port)
{
    double low, high;
    drawn_from(net, &net->inputs.at[port], &low, &high);
    return fmax(fabs(low), fabs(high));
}

double *port_random(const Net *net, int port, int runs, uint64_t seed, Arena *arena)
{
    const Port *p = &net->inputs.at[port];
    const int64_t n = type_elements(type_of_runs(p->node->type, runs));
    const int classes = classes_of(net, p->node);
    double *values = NEW_ARRAY(arena, double, n);
    double low, high;
    drawn_from(net, p, &low, &high);
    uint64_t state = seed * 1000003u + (uint64_t)port;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t x = next_random(&state);
        const double unit = (double)(x >> 40) / (1 << 24);
        values[i] = p->elem == ELEM_U8    ? (double)(x >> 56)
                    : p->elem == ELEM_I32 ? (double)(x % (uint64_t)classes)
                                          : (double)(float)(low + (high - low) * unit);
    }
    return values;
}

int64_t port_index(Type t, Order order, int64_t i)
{
    if (order == ORDER_NHWC)
        return i;
    const int64_t c = i % t.c, pixel = i / t.c % ((int64_t)t.h * t.w);
    const int64_t n = i / t.c / ((int64_t)t.h * t.w);
    return (n * t.c + c) * t.h * t.w + pixel;
}

int port_dims(Type t, Order order, int64_t dims[4])
{
    dims[0] = t.n;
    dims[1] = order == ORDER_NCHW || (t.h == 1 && t.w == 1) ? t.c : t.h;
    dims[2] = order == ORDER_NCHW ? t.h : t.w;
    dims[3] = order == ORDER_NCHW ? t.w : t.c;
    return t.h == 1 && t.w == 1 ? 2 : 4;
}

static int without_ones(const int64_t *dims, int rank, int64_t *out)
{
    int n = 0;
    for (int i = 0; i < rank; i++) {
        if (dims[i] != 1)
            out[n++] = dims[i];
    }
    return n;
}

static const char *dims_text(Arena *arena, const int64_t *dims, int rank)
{
    Buf text = buf_new(arena);
    for (int i = 0; i < rank; i++)
        buf_printf(&text, "%s%lld", i ? " x " : "", (long long)dims[i]);
    return rank ? buf_text(&text) : "a single number";
}

/* Whether an input can have the value x; false after a message. */
static bool takes(const Net *net, const Port *port, double x, const char *path, Diag *d)
{
    const bool bytes = port->elem == ELEM_U8, labels = port->elem == ELEM_I32;
    const int most = bytes ? 255 : labels ? classes_of(net, port->node) - 1 : 0;
    if ((!bytes && !labels) || (x >= 0 && x <= most && x == (double)(int)x))
        return true;
    if (bytes)
        diag_file_error(d, path, "input '%s' takes bytes, and the file holds %g", port->name, x);
    else
        diag_file_error(d, path, "input '%s' takes classes from 0 to %d, and the file holds %g",
                        port->name, most, x);
    return false;
}

double *port_from_npy(const Net *net, int number, int runs, const Npy *npy, const char *path,
                      Arena *arena, Diag *d)
{
    const Port *port = &net->inputs.at[number];
    const Type t = type_of_runs(port->node->type, runs);
    int64_t wanted[4], bare[4], found[NPY_RANK_MOST];
    const int rank = port_dims(t, port->order, wanted);
    const int n_bare = without_ones(wanted, rank, bare);
    const int n_found = without_ones(npy->dims, npy->rank, found);
    bool equal = n_bare == n_found;
    for (int i = 0; equal && i < n_bare; i++)
        equal = bare[i] == found[i];
    if (!equal) {
        diag_file_error(d, path, "input '%s' is %s (%s), and the file holds %s", port->name,
                        dims_text(arena, wanted, rank), port->order == ORDER_NCHW ? "nchw" : "nhwc",
                        dims_text(arena, npy->dims, npy->rank));
        return NULL;
    }
    double *values = NEW_ARRAY(arena, double, npy->n ? npy->n : 1);
    for (int64_t i = 0; i < npy->n; i++) {
        const double x = npy->values[port_index(t, port->order, i)];
        if (!takes(net, port, x, path, d))
            return NULL;
        values[i] = port->elem == ELEM_F32 ? (double)(float)x : x;
    }
    return values;
}
