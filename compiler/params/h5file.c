/* h5file.c: the datasets of an HDF5 file, through libhdf5.
 *
 * Every group is walked once.  Links to other files, soft links, and groups that are reached twice
 * are refused, so that one walk shows all that a file has.  Contiguous numbers stay in the map;
 * chunked, compressed or big-endian ones are read when they are used.  What optimizers store is
 * skipped.
 *
 * libhdf5 crashes on some damaged files, so each is first read in a separate process, and refused
 * if that fails.  libhdf5's objects are numbers that must be closed.  Nothing is allocated from
 * the arena while one is open that does not close with the file, since an allocation may not
 * return.
 */
#define H5_USE_110_API
#include "params/h5file.h"

#include "params/h5set.h"
#include "params/h5text.h"
#include "params/keras.h"

#include <errno.h>
#include <hdf5.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEEPEST = 32, LINKS_MOST = 20000, NAME_MOST = 1024 };

/* What reads packed numbers later. */
typedef struct Open {
    hid_t id;
} Open;

typedef struct Reader {
    TensorFile *file;
    bool keras;  /* a file of Keras, by its attributes */
    int assumed; /* normalisations that were taken to have no scale */
    H5Bytes bytes;
    const KerasConfig *config; /* or NULL */
    Arena *arena;
    Diag *diag;
    VEC(StoredTensor) tensors;
    VEC(haddr_t) groups; /* addresses of those that were walked */
} Reader;

bool h5_is(const unsigned char *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0;
}

static herr_t find_no_memory(unsigned n, const H5E_error2_t *error, void *found)
{
    (void)n;
    if (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC)
        *(bool *)found = true;
    return 0;
}

/* After a failure: whether libhdf5 had no memory. */
static bool no_memory(void)
{
    bool found = false;
    return H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_no_memory, &found) >= 0 && found;
}

static bool damaged(const Reader *r, const char *path)
{
    if (no_memory())
        diag_file_error(r->diag, r->file->path, "out of memory: libhdf5 cannot read it, at '/%s'",
                        path);
    else
        diag_file_error(r->diag, r->file->path, "the HDF5 file is damaged or cut off, at '/%s'",
                        path);
    return false;
}

static bool refuse_link(const Reader *r, const char *path, const char *what)
{
    diag_file_error(r->diag, r->file->path, "'/%s' is %s", path, what);
    diag_file_note(r->diag, r->file->path,
                   "rnc reads groups and datasets that are in the file itself, each once");
    return false;
}

/* ---- datasets ---- */

static bool read_dataset(Reader *r, hid_t group, const char *name, const char *path)
{
    H5Set set;
    const hid_t id = H5Dopen2(group, name, H5P_DEFAULT);
    if (id < 0)
        return damaged(r, path);
    const char *why = h5_set_read(&set, id, r->bytes.size);
    H5Dclose(id);
    if (why) {
        diag_file_error(r->diag, r->file->path, "dataset '/%s' cannot be read: %s", path, why);
        if (set.way_out)
            diag_file_note(r->diag, r->file->path, "%s", set.way_out);
        return false;
    }
    StoredTensor t = {.name = keras_path(path, r->arena),
                      .elem = set.elem,
                      .elem_name = set.elem_name,
                      .rank = set.rank,
                      .size = set.size};
    memcpy(t.dims, set.dims, sizeof t.dims);
    if (set.offset)
        t.bytes = r->bytes.at + set.offset;
    else
        t.packed = arena_printf(r->arena, "/%s", path);
    VEC_PUSH(r->arena, &r->tensors, t);
    return true;
}

static bool load(const TensorFile *file, const StoredTensor *tensor, unsigned char *to,
                 Arena *arena, Diag *diag)
{
    const hid_t id = H5Dopen2(((const Open *)file->reader)->id, tensor->packed, H5P_DEFAULT);
    (void)arena;
    const bool good = id >= 0 && h5_set_load(id, to);
    if (id >= 0)
        H5Dclose(id);
    if (!good)
        diag_file_error(diag, file->path, "the numbers of '%s' cannot be read: %s",
                        (const char *)tensor->packed,
                        no_memory() ? "out of memory" : "they are damaged");
    return good;
}

/* ---- groups ---- */

static bool walk(Reader *r, hid_t group, const char *path, int depth);

/* What holds no parameters: states of optimizers, of metrics and of random numbers, of the
 * model or of one inside.  Groups among `layers` are called by the layers' classes. */
static bool lies_beside(const char *name, const char *path, Arena *arena)
{
    static const char *const others[] = {"optimizer",       "optimizer_weights", "metrics",
                                         "compile_metrics", "loss_tracker",      "_metrics"};
    if (str_starts(name, "seed_generator"))
        return true;
    if (str_ends(path, arena_printf(arena, "layers/%s", name)))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (str_eq(name, others[i]))
            return true;
    }
    return false;
}

static bool enter(Reader *r, hid_t group, const char *name, const char *path, haddr_t address,
                  int depth)
{
    for (int i = 0; i < r->groups.n; i++) {
        if (r->groups.at[i] == address)
            return refuse_link(r, path, "a group that is elsewhere in the file as well");
    }
    VEC_PUSH(r->arena, &r->groups, address);
    if (depth == DEEPEST) {
        diag_file_error(r->diag, r->file->path, "groups nest more than %d deep, at '/%s'", DEEPEST,
                        path);
        return false;
    }
    const hid_t id = H5Gopen2(group, name, H5P_DEFAULT);
    if (id < 0)
        return damaged(r, path);
    const bool good = walk(r, id, path, depth + 1);
    H5Gclose(id);
    return good;
}

static bool visit(Reader *r, hid_t group, const char *name, const char *path, int depth)
{
    H5L_info_t link;
    if (H5Lget_info(group, name, &link, H5P_DEFAULT) < 0)
        return damaged(r, path);
    if (link.type == H5L_TYPE_SOFT)
        return refuse_link(r, path, "a soft link");
    if (link.type != H5L_TYPE_HARD)
        return refuse_link(r, path, "a link to another file");
    if (lies_beside(name, path, r->arena))
        return true;
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        return damaged(r, path);
    const H5I_type_t type = H5Iget_type(object);
    H5Oclose(object);
    if (type == H5I_GROUP)
        return enter(r, group, name, path, link.u.address, depth);
    if (type == H5I_DATASET)
        return read_dataset(r, group, name, path);
    return refuse_link(r, path, "neither a group nor a dataset");
}

/* The paths of what was read in the group since `first`, and the order of axes. */
static void name_weights(Reader *r, hid_t group, const char *path, int first)
{
    char layer[NAME_MOST];
    StoredTensor *weights = r->tensors.at + first;
    const int n = r->tensors.n - first;
    if (str_ends(path, "/vars")) {
        const char *parent = arena_strndup(r->arena, path, strlen(path) - strlen("/vars"));
        h5_text(group, "name", layer, sizeof layer);
        r->assumed +=
            keras_number_names(weights, n, parent, layer[0] ? layer : NULL, r->config, r->arena);
    } else if (!r->keras) {
        return;
    }
    for (int i = 0; i < n; i++)
        keras_axes(&weights[i]);
}

static bool walk(Reader *r, hid_t group, const char *path, int depth)
{
    H5G_info_t info;
    const int first = r->tensors.n;
    bool groups = false;
    if (H5Gget_info(group, &info) < 0)
        return damaged(r, path);
    if (info.nlinks > LINKS_MOST) {
        diag_file_error(r->diag, r->file->path, "group '/%s' has more than %d members", path,
                        LINKS_MOST);
        return false;
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[NAME_MOST];
        const int before = r->tensors.n;
        const ssize_t n = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                             sizeof name, H5P_DEFAULT);
        if (n <= 0 || (size_t)n >= sizeof name)
            return damaged(r, path);
        const char *inner = arena_printf(r->arena, "%s%s%s", path, *path ? "/" : "", name);
        /* The weights of a whole model, beside which nothing else counts. */
        if (depth == 0 && H5Lexists(group, "model_weights", H5P_DEFAULT) > 0 &&
            !str_eq(name, "model_weights"))
            continue;
        if (!visit(r, group, name, inner, depth))
            return false;
        groups = groups || r->tensors.n != before + 1;
    }
    if (!groups)
        name_weights(r, group, path, first);
    return true;
}

/* ---- the file ---- */

static void close_file(TensorFile *file)
{
    H5Fclose(((const Open *)file->reader)->id);
}

/* Closing the file is to close all that is open in it.  After a failure *memory says
 * whether there was none. */
static hid_t open_file(const char *path, H5Bytes bytes, bool *memory)
{
    enum { STEP = 1 << 20 };
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t id = -1;
    bool good = access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0;
    if (good && bytes.image)
        good = H5Pset_fapl_core(access, STEP, false) >= 0 &&
               H5Pset_file_image(access, (void *)bytes.at, bytes.size) >= 0; /* copied */
    if (good)
        id = H5Fopen(path, H5F_ACC_RDONLY, access);
    *memory = id < 0 && no_memory(); /* the next call forgets it */
    if (access >= 0)
        H5Pclose(access);
    return id;
}

static bool is_keras(hid_t id)
{
    static const char *const places[] = {"/", "/model_weights"};
    static const char *const names[] = {"keras_version", "layer_names", "layer_names0"};
    for (int p = 0; p < 2; p++) {
        if (p > 0 && H5Lexists(id, places[p], H5P_DEFAULT) <= 0)
            return false;
        for (int i = 0; i < 3; i++) {
            if (H5Aexists_by_name(id, places[p], names[i], H5P_DEFAULT) > 0)
                return true;
        }
    }
    return false;
}

/* A text attribute of the file itself, or NULL. */
static const char *attribute(hid_t id, const char *name, Arena *arena)
{
    const size_t n = h5_text(id, name, NULL, 0);
    char *text = n ? arena_alloc(arena, n + 1) : NULL;
    if (text)
        h5_text(id, name, text, n + 1);
    return text;
}

static bool read_file(TensorFile *file, H5Bytes bytes, const KerasConfig *config, Arena *arena,
                      Diag *diag)
{
    Reader r = {.file = file, .arena = arena, .diag = diag, .bytes = bytes, .config = config};
    Open *open = NEW(arena, Open);
    /* Its own messages go to no one: what failed is said here. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* An image is to have a name that no file has. */
    const char *path = bytes.image ? arena_printf(arena, "%s/", file->path) : file->path;
    bool memory;
    open->id = open_file(path, bytes, &memory);
    if (open->id < 0) {
        diag_file_error(diag, file->path,
                        memory ? "out of memory: libhdf5 cannot open it"
                               : "the HDF5 file is damaged or cut off");
        return false;
    }
    file->reader = open;
    file->close = close_file;
    file->load = load;
    r.keras = config || is_keras(open->id);
    if (!config) {
        file->model = attribute(open->id, "model_config", arena);
        file->model_version = attribute(open->id, "keras_version", arena);
    }
    const hid_t root = H5Gopen2(open->id, "/", H5P_DEFAULT);
    H5O_info_t about;
    bool good = root >= 0 && H5Oget_info(root, &about) >= 0;
    if (good)
        VEC_PUSH(arena, &r.groups, about.addr);
    good = good ? walk(&r, root, "", 0) : damaged(&r, "");
    if (root >= 0)
        H5Gclose(root);
    file->tensors = r.tensors.at;
    file->n = r.tensors.n;
    if (good && r.keras)
        keras_renumber(file->tensors, file->n, arena);
    if (good && r.assumed > 0) {
        diag_file_warning(diag, file->path,
                          "%d normalisations have three vectors: they are taken for beta, "
                          "moving_mean and moving_variance",
                          r.assumed);
        diag_file_note(diag, file->path,
                       "that is scale=False; of center=False only a .keras file says so");
    }
    return good;
}

/* ---- libhdf5 itself ---- */

/* What a trial does in a process of its own: reads all that there is to read. */
static void try_file(const TensorFile *mapped, H5Bytes bytes)
{
    enum { LARGEST = 1 << 30 };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    if (!arena || setjmp(oom) != 0)
        return;
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    TensorFile file = {.path = mapped->path, .map = mapped->map, .map_size = mapped->map_size};
    if (!read_file(&file, bytes, NULL, arena, &diag))
        return;
    for (int i = 0; i < file.n; i++) {
        const StoredTensor *t = &file.tensors[i];
        if (t->packed && t->elem != STORED_OTHER && t->size > 0 && t->size < LARGEST)
            load(&file, t, arena_alloc(arena, t->size), arena, &diag);
    }
}

/* libhdf5 can crash over a damaged file, or never end.  False after a message if it
 * does so over this one. */
static bool survives(const TensorFile *file, H5Bytes bytes, Diag *diag)
{
    enum { SECONDS = 5, BYTES_A_SECOND = 20000000 };
    const rlim_t seconds = SECONDS + bytes.size / BYTES_A_SECOND;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
        try_file(file, bytes);
        _exit(0);
    }
    pid_t ended;
    do
        ended = child < 0 ? -1 : waitpid(child, &status, 0);
    while (ended < 0 && child > 0 && errno == EINTR);
    if (ended < 0) {
        diag_file_error(diag, file->path, "cannot try the HDF5 file in a process: %s",
                        strerror(errno));
        return false;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    diag_file_error(diag, file->path, "the HDF5 file is damaged: libhdf5 breaks down over it");
    return false;
}

bool h5_read(TensorFile *file, H5Bytes bytes, const KerasConfig *config, Arena *arena, Diag *diag)
{
    return survives(file, bytes, diag) && read_file(file, bytes, config, arena, diag);
}
