/* log.c: see log.h. */
#define _GNU_SOURCE
#include "train/log.h"

#include "train/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 64 * RNCT_COLUMNS_MOST };

/* ---- lines ---- */

static size_t put_names(const rnct_log *log, char *line)
{
    size_t n = 0;
    for (int i = 0; i < log->n; i++)
        n += (size_t)snprintf(line + n, LINE_BYTES - n, "%s%s", i ? "," : "", log->columns[i]);
    return n + (size_t)snprintf(line + n, LINE_BYTES - n, "\n");
}

/* The fewest digits that give the same double again; whole numbers (an epoch, a count) as such. */
static void put_number(char *to, size_t size, double x, bool quoted)
{
    if (!isfinite(x)) {
        const char *name = isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
        snprintf(to, size, quoted ? "\"%s\"" : "%s", name);
        return;
    }
    if (x == nearbyint(x) && fabs(x) < 1e15) {
        snprintf(to, size, "%.0f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(to, size, "%.*g", digits, x);
        if (strtod(to, NULL) == x)
            return;
    }
}

static size_t put_row(const rnct_log *log, const double *row, const bool *there, char *line)
{
    const bool json = log->format == RNCT_JSON_LINES;
    size_t n = json ? (size_t)snprintf(line, LINE_BYTES, "{") : 0;
    for (int i = 0; i < log->n; i++) {
        char number[40] = "";
        const bool is_there = !there || there[i];
        if (i == 0)
            snprintf(number, sizeof number, "%" PRIu64, (uint64_t)row[0]);
        else if (is_there)
            put_number(number, sizeof number, row[i], json);
        if (json && (is_there || i == 0))
            n += (size_t)snprintf(line + n, LINE_BYTES - n, "%s\"%s\":%s", i ? "," : "",
                                  log->columns[i], number);
        else if (!json)
            n += (size_t)snprintf(line + n, LINE_BYTES - n, "%s%s", i ? "," : "", number);
    }
    return n + (size_t)snprintf(line + n, LINE_BYTES - n, json ? "}\n" : "\n");
}

/* ---- what is there ---- */

/* The step of a line of n bytes, without its end; false if it is no row. */
static bool step_of(const rnct_log *log, const unsigned char *line, size_t n, uint64_t *step)
{
    static const char key[] = "{\"step\":";
    size_t at = log->format == RNCT_JSON_LINES ? sizeof key - 1 : 0;
    if (n < at || memcmp(line, key, at) != 0 || at == n || line[at] < '0' || line[at] > '9')
        return false;
    for (*step = 0; at < n && line[at] >= '0' && line[at] <= '9'; at++)
        *step = *step * 10 + (uint64_t)(line[at] - '0');
    return true;
}

/* How many bytes of a log are kept.  False after a problem. */
static bool find_end(const rnct_log *log, const rnct_mapped *file, uint64_t step, size_t *keep,
                     rnct_problems *problems)
{
    char names[LINE_BYTES];
    const size_t n_names = log->format == RNCT_CSV ? put_names(log, names) : 0;
    *keep = 0;
    if (file->size == 0 || (file->size < n_names && memcmp(file->bytes, names, file->size) == 0))
        return true; /* not even its first line is whole */
    if (n_names && (file->size < n_names || memcmp(file->bytes, names, n_names) != 0))
        return rnct_problem(problems, log->path,
                            "is no log with the columns %.*s, and is not overwritten: log to "
                            "another folder",
                            (int)n_names - 1, names);
    for (*keep = n_names; *keep < file->size;) {
        const unsigned char *line = file->bytes + *keep;
        const unsigned char *end = memchr(line, '\n', file->size - *keep);
        uint64_t at;
        if (!end)
            return true;
        if (!step_of(log, line, (size_t)(end - line), &at))
            return rnct_problem(problems, log->path,
                                "is no log, and is not overwritten: log to another folder");
        if (at > step)
            return true;
        *keep = (size_t)(end + 1 - file->bytes);
    }
    return true;
}

static bool fail(const rnct_log *log, rnct_problems *problems)
{
    return rnct_problem(problems, log->path, "cannot be written: %s", strerror(errno));
}

/* Writes all bytes at the end, or none. */
static bool append(const rnct_log *log, const char *bytes, size_t size, rnct_problems *problems)
{
    const off_t end = lseek(log->fd, 0, SEEK_END);
    while (size > 0) {
        const ssize_t n = write(log->fd, bytes, size);
        if (n < 0 && errno != EINTR) {
            fail(log, problems);
            if (end >= 0 && ftruncate(log->fd, end) != 0)
                return rnct_problem(problems, log->path, "has a row that is not whole");
            return false;
        }
        if (n > 0)
            bytes += n, size -= (size_t)n;
    }
    return true;
}

/* Keeps what is to be kept of the file, if there is one. */
static bool prepare(rnct_log *log, uint64_t step, rnct_problems *problems)
{
    rnct_mapped file = {0};
    size_t keep = 0;
    char names[LINE_BYTES];
    if (access(log->path, F_OK) == 0) {
        const bool good =
            rnct_map(&file, log->path, problems) && find_end(log, &file, step, &keep, problems);
        rnct_unmap(&file);
        if (!good)
            return false;
    }
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log->fd < 0 || ftruncate(log->fd, (off_t)keep) != 0)
        return fail(log, problems);
    return keep > 0 || log->format != RNCT_CSV ||
           append(log, names, put_names(log, names), problems);
}

bool rnct_log_open(rnct_log *log, const char *path, rnct_log_format format,
                   const char *const *columns, int n, uint64_t step, rnct_problems *problems)
{
    *log = (rnct_log){-1, strdup(path), format, columns, n};
    bool good = log->path || rnct_problem(problems, path, "no memory");
    if (good && (n < 1 || n > RNCT_COLUMNS_MOST || strcmp(columns[0], "step") != 0))
        good = rnct_problem(problems, path, "a log has 1 to %d columns, and the first is 'step'",
                            RNCT_COLUMNS_MOST);
    good = good && prepare(log, step, problems);
    if (!good)
        rnct_log_close(log);
    return good;
}

bool rnct_log_row(rnct_log *log, const double *row, const bool *there, rnct_problems *problems)
{
    char line[LINE_BYTES];
    return append(log, line, put_row(log, row, there, line), problems);
}

bool rnct_log_sync(const rnct_log *log, rnct_problems *problems)
{
    /* Pipes and some file systems cannot be synced, and say so by EINVAL. */
    return log->fd < 0 || fdatasync(log->fd) == 0 || errno == EINVAL || fail(log, problems);
}

void rnct_log_close(rnct_log *log)
{
    if (log->path && log->fd >= 0)
        close(log->fd);
    free(log->path);
    *log = (rnct_log){.fd = -1};
}

/* ---- reading ---- */

int rnct_table_column(const rnct_table *table, const char *name)
{
    for (int i = 0; i < table->columns; i++) {
        if (strcmp(table->names[i], name) == 0)
            return i;
    }
    return -1;
}

void rnct_table_free(rnct_table *table)
{
    for (int i = 0; i < table->columns; i++)
        free(table->names[i]);
    free(table->values);
    *table = (rnct_table){0};
}

/* Splits a line, which is changed, at its commas; returns how many fields there are. */
static int split(char *line, char **fields)
{
    int n = 0;
    for (char *at = line; at && n <= RNCT_COLUMNS_MOST; n++) {
        char *comma = strchr(at, ',');
        if (n < RNCT_COLUMNS_MOST)
            fields[n] = at;
        if (comma)
            *comma++ = '\0';
        at = comma;
    }
    return n;
}

static bool add_row(rnct_table *t, char **fields, size_t *room)
{
    const size_t columns = (size_t)t->columns;
    if (t->rows == *room) {
        const size_t more = *room ? 2 * *room : 256;
        double *values = realloc(t->values, more * columns * sizeof *values);
        if (!values)
            return false;
        t->values = values;
        *room = more;
    }
    for (size_t i = 0; i < columns; i++) {
        char *end = fields[i];
        const double x = *fields[i] ? strtod(fields[i], &end) : (double)NAN;
        if (*end != '\0')
            return false;
        t->values[t->rows * columns + i] = x;
    }
    t->rows++;
    return true;
}

bool rnct_table_read(rnct_table *t, const char *path, rnct_problems *problems)
{
    char *line = NULL, *fields[RNCT_COLUMNS_MOST];
    size_t size = 0, room = 0, number = 0;
    bool good = true;
    *t = (rnct_table){0};
    FILE *f = fopen(path, "re");
    if (!f)
        return rnct_problem(problems, path, "cannot be read: %s", strerror(errno));
    while (good && getline(&line, &size, f) > 0) {
        number++;
        line[strcspn(line, "\n")] = '\0';
        const int n = split(line, fields);
        for (int i = 0; number == 1 && n <= RNCT_COLUMNS_MOST && i < n && good; i++) {
            t->names[i] = strdup(fields[i]);
            good = t->names[i] != NULL;
            t->columns += good;
        }
        if (number == 1)
            good = good && n <= RNCT_COLUMNS_MOST;
        else
            good = n == t->columns && add_row(t, fields, &room);
    }
    const int error = ferror(f) ? errno : 0;
    free(line);
    fclose(f);
    if (good && !error)
        return true;
    rnct_table_free(t);
    if (error)
        return rnct_problem(problems, path, "cannot be read: %s", strerror(error));
    return rnct_problem(problems, path, "line %zu is no row of numbers with commas", number);
}
