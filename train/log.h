/* log.h: what a run measured, a row each time, as CSV or as JSON lines.
 *
 * A row is on its way to the disk when rnct_log_row returns, and a file has whole rows only.  A run
 * that goes on from a checkpoint drops the rows that came after it, and writes them again. */
#ifndef RNCT_LOG_H
#define RNCT_LOG_H

#include "train/problems.h"

#include <stdint.h>

typedef enum rnct_log_format {
    RNCT_CSV, /* a line of names, then a line of numbers for each row; what is absent is empty */
    RNCT_JSON_LINES /* an object a line; what is absent is left out, and nan and inf are texts */
} rnct_log_format;

enum { RNCT_COLUMNS_MOST = 32 };

typedef struct rnct_log {
    int fd;     /* -1: not open */
    char *path; /* owned */
    rnct_log_format format;
    const char *const *columns; /* [n] */
    int n;
} rnct_log;

/* Opens a log for rows of these columns, of which the first is "step"; the names are plain
 * (letters, digits, '_') and must outlive the log.  Of a file that is there rows up to `step` are
 * kept, and what comes after them is removed, with a last row that is not whole.  False with a
 * problem: the file cannot be written, or is no log with these columns; then it is as it was. */
bool rnct_log_open(rnct_log *log, const char *path, rnct_log_format format,
                   const char *const *columns, int n, uint64_t step, rnct_problems *problems);

/* Adds a row of n numbers, of which the first is the step.  there[i] says whether number i is
 * there; NULL: all are.  False with a problem, and then the file has no part of the row. */
bool rnct_log_row(rnct_log *log, const double *row, const bool *there, rnct_problems *problems);

/* Waits until all rows are on the disk, as they must be before a checkpoint that comes after them.
 * False with a problem. */
bool rnct_log_sync(const rnct_log *log, rnct_problems *problems);

void rnct_log_close(rnct_log *log);

/* A CSV log in memory. */
typedef struct rnct_table {
    int columns;
    size_t rows;
    char *names[RNCT_COLUMNS_MOST]; /* owned */
    double *values;                 /* [rows][columns], NaN where a number is absent; owned */
} rnct_table;

/* Reads a CSV log; an empty file is one without columns and rows.  False with a problem; else to be
 * freed. */
bool rnct_table_read(rnct_table *table, const char *path, rnct_problems *problems);
void rnct_table_free(rnct_table *table);
/* The index of a column, or -1. */
int rnct_table_column(const rnct_table *table, const char *name);

#endif
