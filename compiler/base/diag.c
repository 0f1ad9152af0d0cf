/* diag.c: rendering of messages.  The layout is that of gcc and clang:
 *
 *     resnet18.net:41:5: error: cannot add the arms: they differ in channels
 *        41 |     add ; relu
 *           |     ^~~
 */
#include "base/diag.h"

#include "base/utf8.h"

#include <string.h>

Diag diag_new(const SrcMap *src, Arena *arena)
{
    return (Diag){.src = src, .out = buf_new(arena)};
}

/* The number of bytes that take one column: those of a character, or 1 for a byte that belongs to
 * none. */
static size_t column_bytes(const char *at, size_t left)
{
    const size_t length = utf8_length(at, left);
    return length ? length : 1;
}

/* Shows the source line of `loc` and, below it, ^~~~ under the part of `loc` on that line.  Of a
 * long line it shows what surrounds the place. */
static void show_line(Diag *d, Loc loc, int line, int column)
{
    enum { BEFORE = 100, BEHIND = 100 };
    const SrcFile *f = src_file(d->src, loc.file);
    size_t begin = (size_t)loc.begin - (size_t)(column - 1), end = begin;
    if (begin > f->size)
        return;
    if (column > BEFORE)
        begin = (size_t)loc.begin - BEFORE;
    while (begin < (size_t)loc.begin && ((unsigned char)f->text[begin] & 0xC0) == 0x80)
        begin++;
    while (end < f->size && f->text[end] != '\n' && f->text[end] != '\r' &&
           (end < (size_t)loc.begin + BEHIND || ((unsigned char)f->text[end] & 0xC0) == 0x80))
        end++;
    buf_printf(&d->out, "%5d | ", line);
    for (size_t i = begin, step; i < end; i += step) {
        step = column_bytes(f->text + i, end - i);
        if (utf8_safe(f->text + i, step))
            buf_add(&d->out, f->text + i, step);
        else
            buf_putc(&d->out, (unsigned char)f->text[i] < 0x80 ? ' ' : '?');
    }
    buf_puts(&d->out, "\n      | ");
    const size_t at = (size_t)loc.begin, behind = (size_t)loc.end < end ? (size_t)loc.end : end;
    for (size_t i = begin; i < at; i += column_bytes(f->text + i, end - i))
        buf_putc(&d->out, ' ');
    buf_putc(&d->out, '^');
    for (size_t i = at; (i += column_bytes(f->text + i, f->size - i)) < behind;)
        buf_putc(&d->out, '~');
    buf_putc(&d->out, '\n');
}

/* Part of what is printed comes from files, so it is shown as utf8.h says. */
static void put_message(Diag *d, const char *format, va_list args)
{
    Buf text = buf_new(d->out.arena);
    buf_vprintf(&text, format, args);
    buf_add_shown(&d->out, buf_text(&text), text.n, true);
}

static void at_place(Diag *d, Loc loc, const char *kind, const char *format, va_list args)
{
    const SrcFile *f = src_file(d->src, loc.file);
    int line = 0, column = 0;
    if (f) {
        src_line(d->src, loc.file, loc.begin, &line, &column);
        const char *name = str_shown(d->out.arena, f->name);
        if (f->listing)
            buf_printf(&d->out, "%s: node %d: %s: ", name, line, kind);
        else
            buf_printf(&d->out, "%s:%d:%d: %s: ", name, line, column, kind);
    } else {
        buf_printf(&d->out, "rnc: %s: ", kind);
    }
    put_message(d, format, args);
    buf_putc(&d->out, '\n');
    if (f)
        show_line(d, loc, line, column);
}

static void at_file(Diag *d, const char *file, const char *kind, const char *format, va_list args)
{
    buf_printf(&d->out, "%s: %s: ", str_shown(d->out.arena, file), kind);
    put_message(d, format, args);
    buf_putc(&d->out, '\n');
}

/* Counts an error; returns false if it is one too many and must not be shown. */
static bool count_error(Diag *d)
{
    if (d->full)
        return false;
    if (d->errors == DIAG_MOST) {
        buf_printf(&d->out, "rnc: note: %d errors shown; the rest is left out\n", DIAG_MOST);
        d->full = true;
        return false;
    }
    d->errors++;
    return true;
}

#define VARIADIC(condition, call) \
    do {                          \
        va_list args;             \
        va_start(args, format);   \
        if (condition)            \
            call;                 \
        va_end(args);             \
    } while (0)

void diag_error(Diag *d, Loc loc, const char *format, ...)
{
    VARIADIC(count_error(d), at_place(d, loc, "error", format, args));
}

void diag_warning(Diag *d, Loc loc, const char *format, ...)
{
    VARIADIC(!d->full && ++d->warnings, at_place(d, loc, "warning", format, args));
}

void diag_note(Diag *d, Loc loc, const char *format, ...)
{
    VARIADIC(!d->full, at_place(d, loc, "note", format, args));
}

void diag_note_callers(Diag *d, const Place *place)
{
    enum { FIRST = 5, LAST = 2 };
    int n = 0, at = 0;
    for (const Place *p = place ? place->caller : NULL; p; p = p->caller)
        n++;
    for (const Place *p = place ? place->caller : NULL; p; p = p->caller, at++) {
        if (at < FIRST || at >= n - LAST)
            diag_note(d, p->loc, "expanded from here");
        else if (at == FIRST)
            diag_note(d, p->loc, "expanded from here, and so on, %d times", n - FIRST - LAST);
    }
}

void diag_file_error(Diag *d, const char *file, const char *format, ...)
{
    VARIADIC(count_error(d), at_file(d, file, "error", format, args));
}

void diag_file_warning(Diag *d, const char *file, const char *format, ...)
{
    VARIADIC(!d->full && ++d->warnings, at_file(d, file, "warning", format, args));
}

void diag_file_note(Diag *d, const char *file, const char *format, ...)
{
    VARIADIC(!d->full, at_file(d, file, "note", format, args));
}

void diag_internal(Diag *d, const char *format, ...)
{
    d->errors++;
    d->internal++;
    buf_puts(&d->out, "rnc: internal error: ");
    VARIADIC(true, put_message(d, format, args));
    buf_puts(&d->out, "\nrnc: note: this is a defect of rnc, not of your input; please report it "
                      "with the .net file\n");
}
