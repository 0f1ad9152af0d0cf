/* onnx_scan.c: a message of the wire format is a list of fields, each a key and a value.
 *
 * The key is a varint, 8 * number + type of the value: 0 a varint, 1 eight bytes, 2 a length and as
 * many bytes, 5 four bytes.  (3 and 4 are groups, which ONNX does not have.)  Messages, texts and
 * packed lists are values with a length; which of them it is only the schema says. */
#include "import/onnx_scan.h"

#include <inttypes.h>

enum { WIRE_VARINT = 0, WIRE_8_BYTES = 1, WIRE_LENGTH = 2, WIRE_4_BYTES = 5 };
enum { VARINT_BYTES_MOST = 10 };

typedef struct Scan {
    const unsigned char *bytes;
    size_t messages, most; /* met so far, and allowed */
    const char *path;
    Diag *diag;
} Scan;

static bool refuse(const Scan *s, size_t at, const char *what)
{
    diag_file_error(s->diag, s->path, "byte %zu: %s", at, what);
    diag_file_note(
        s->diag, s->path,
        "the file is damaged, or cut off, or no ONNX model: onnx.checker.check_model(FILE) "
        "of the Python package onnx says more");
    return false;
}

/* Reads a varint that must end before `end`, and moves *at after it. */
static bool read_varint(const Scan *s, size_t *at, size_t end, uint64_t *value)
{
    const size_t begin = *at;
    *value = 0;
    for (int i = 0; i < VARINT_BYTES_MOST && *at < end; i++) {
        const unsigned char byte = s->bytes[(*at)++];
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return i < VARINT_BYTES_MOST - 1 || byte <= 1
                       ? true
                       : refuse(s, begin, "a number of more than 64 bits");
    }
    return refuse(s, begin, *at < end ? "a number of more than 64 bits" : "a number is cut off");
}

/* Whether a value with a length is a list of numbers, which protobuf-c reads as one: its elements
 * must fit. */
static bool scan_packed(const Scan *s, const ProtobufCFieldDescriptor *field, size_t at, size_t end)
{
    const size_t begin = at;
    uint64_t value;
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return (end - at) % 4 == 0 || refuse(s, begin, "a list of floats that is cut off");
    case PROTOBUF_C_TYPE_DOUBLE:
        return (end - at) % 8 == 0 || refuse(s, begin, "a list of doubles that is cut off");
    default:
        while (at < end) {
            if (!read_varint(s, &at, end, &value))
                return false;
        }
        return true;
    }
}

static bool is_number(const ProtobufCFieldDescriptor *field)
{
    return field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES &&
           field->type != PROTOBUF_C_TYPE_MESSAGE;
}

static bool scan_message(Scan *s, const ProtobufCMessageDescriptor *type, size_t at, size_t end,
                         int depth);

/* A value of `length` bytes. */
static bool scan_value(Scan *s, const ProtobufCFieldDescriptor *field, size_t at, size_t length,
                       int depth)
{
    if (!field)
        return true;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return scan_message(s, field->descriptor, at, at + length, depth + 1);
    if (!is_number(field))
        return true;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return refuse(s, at, "a list where one number should be");
    return scan_packed(s, field, at, at + length);
}

/* The type of the value that a field of the schema has, if its values are not a list. */
static int wire_type(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_4_BYTES;
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_8_BYTES;
    default:
        return is_number(field) ? WIRE_VARINT : WIRE_LENGTH;
    }
}

/* The value of a field whose key began at `key`; moves *at after it. */
static bool scan_field(Scan *s, const ProtobufCFieldDescriptor *field, int wire, size_t key,
                       size_t *at, size_t end, int depth)
{
    uint64_t value;
    if (field && wire != WIRE_LENGTH && wire != wire_type(field))
        return refuse(s, key, "a field whose value is of another type than ONNX says");
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(s, at, end, &value);
    case WIRE_8_BYTES:
    case WIRE_4_BYTES:
        value = wire == WIRE_8_BYTES ? 8 : 4;
        break;
    case WIRE_LENGTH:
        if (!read_varint(s, at, end, &value))
            return false;
        break;
    default:
        return refuse(s, key, "no field of a protobuf message");
    }
    if (value > end - *at)
        return refuse(s, key, "a value is longer than what it is in");
    const size_t begin = *at;
    *at += (size_t)value;
    return wire != WIRE_LENGTH || scan_value(s, field, begin, (size_t)value, depth);
}

static bool scan_message(Scan *s, const ProtobufCMessageDescriptor *type, size_t at, size_t end,
                         int depth)
{
    if (depth > ONNX_DEPTH_MOST)
        return refuse(s, at, "messages are nested deeper than ONNX has them");
    if (++s->messages > s->most)
        return refuse(s, at, "there are more messages than any network needs");
    while (at < end) {
        const size_t key_at = at;
        uint64_t key;
        if (!read_varint(s, &at, end, &key))
            return false;
        const uint64_t number = key >> 3;
        if (number == 0 || number > (1 << 29) - 1)
            return refuse(s, key_at, "no field of a protobuf message");
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)number);
        if (!scan_field(s, field, (int)(key & 7), key_at, &at, end, depth))
            return false;
    }
    return true;
}

bool onnx_scan(const ProtobufCMessageDescriptor *type, const unsigned char *bytes, size_t size,
               size_t most, const char *path, Diag *diag)
{
    Scan scan = {.bytes = bytes, .most = most, .path = path, .diag = diag};
    return scan_message(&scan, type, 0, size, 1);
}
