/* src.h: source texts and places in them. */
#ifndef RNC_SRC_H
#define RNC_SRC_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* A range of bytes of one source file. file < 0: no place (a command line). */
typedef struct Loc {
    int file;
    int begin, end;
} Loc;

#define NO_LOC ((Loc){-1, 0, 0})

/* Where a node came from: its own text, then the call that expanded it, and
 * so on outwards (a block in a block in a stage). */
typedef struct Place Place;
struct Place {
    Loc loc;
    const Place *caller; /* NULL at the net's own level */
};

typedef struct SrcFile {
    const char *name; /* as messages print it */
    const char *text; /* NUL-terminated; may hold NULs before size */
    size_t size;
    bool on_disk;     /* an input that was read; else src_add() got it from elsewhere */
    bool listing;     /* a line for each node of a model file, by src_list() */
    const int *lines; /* [n_lines] the byte where each line begins, the first with 0 */
    int n_lines;
    size_t room; /* of a listing: what `text` and `lines` have place for */
    int lines_room;
} SrcFile;

typedef struct SrcMap {
    Arena *arena;
    VEC(SrcFile) files;
} SrcMap;

/* Adds a text that is in memory already, which is copied; returns its file number. */
int src_add(SrcMap *map, const char *name, const char *text, size_t size);
/* Reads an ordinary file (file.h).  Returns its number; or -1 with *why set to what is wrong,
 * in words that complete "cannot read FILE: ". */
int src_read(SrcMap *map, const char *path, const char **why);
/* Adds a file that somebody else reads and that has no places, so that it is among the inputs. */
void src_add_input(SrcMap *map, const char *path);
/* A text that grows, for what has no lines of its own: the nodes of a model file, which messages
 * count from 1.  src_list() appends a line and returns its place. */
int src_listing(SrcMap *map, const char *name);
Loc src_list(SrcMap *map, int file, const char *line);
const SrcFile *src_file(const SrcMap *map, int file);
/* Line and column of a byte, both from 1. */
void src_line(const SrcMap *map, int file, int byte, int *line, int *column);

/* The file and the line, from 1, of a place; NULL if there is none (`place` may be NULL). */
const SrcFile *src_place(const SrcMap *map, const Place *place, int *line);

#endif
