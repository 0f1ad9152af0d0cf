/* onnx_tensor.c: the elements of tensors, of types that networks use. */
#include "import/onnx_model.h"

#include "base/half.h"

#include <string.h>

typedef struct TypeRow {
    int type, bytes;
    bool whole, real;
    const char *name;
} TypeRow;

static const TypeRow types[] = {
    {ONNX_FLOAT, 4, false, true, "float"},   {ONNX_UINT8, 1, true, false, "uint8"},
    {ONNX_INT8, 1, true, false, "int8"},     {ONNX_UINT16, 2, true, false, "uint16"},
    {ONNX_INT16, 2, true, false, "int16"},   {ONNX_INT32, 4, true, false, "int32"},
    {ONNX_INT64, 8, true, false, "int64"},   {ONNX_STRING, 0, false, false, "string"},
    {ONNX_BOOL, 1, true, false, "bool"},     {ONNX_FLOAT16, 2, false, true, "float16"},
    {ONNX_DOUBLE, 8, false, true, "double"}, {ONNX_UINT32, 4, true, false, "uint32"},
    {ONNX_UINT64, 8, true, false, "uint64"}, {ONNX_BFLOAT16, 2, false, true, "bfloat16"},
};

static const TypeRow *row_of(int type)
{
    static const TypeRow unknown = {0, 0, false, false, "a type that rnc does not know"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].type == type)
            return &types[i];
    }
    return &unknown;
}

int onnx_type_bytes(int type)
{
    return row_of(type)->bytes;
}

const char *onnx_type_name(int type)
{
    return row_of(type)->name;
}

bool onnx_type_whole(int type)
{
    return row_of(type)->whole;
}

bool onnx_type_real(int type)
{
    return row_of(type)->real;
}

static int64_t int_at(const OnnxTensor *t, int64_t i)
{
    const int bytes = onnx_type_bytes(t->type);
    const unsigned char *at = t->bytes + i * bytes;
    uint64_t value = 0;
    for (int b = bytes - 1; b >= 0; b--)
        value = value << 8 | at[b];
    switch (t->type) {
    case ONNX_INT8:
        return (int8_t)value;
    case ONNX_INT16:
        return (int16_t)value;
    case ONNX_INT32:
        return (int32_t)value;
    default:
        return (int64_t)value;
    }
}

const int64_t *onnx_ints(const OnnxTensor *tensor, Arena *arena)
{
    int64_t *ints = NEW_ARRAY(arena, int64_t, tensor->elements + 1);
    for (int64_t i = 0; i < tensor->elements; i++)
        ints[i] = int_at(tensor, i);
    return ints;
}

static float float_at(const OnnxTensor *t, int64_t i)
{
    uint16_t half;
    double wide;
    float value;
    switch (t->type) {
    case ONNX_FLOAT16:
        memcpy(&half, t->bytes + 2 * i, 2);
        return float_of_f16(half);
    case ONNX_BFLOAT16:
        memcpy(&half, t->bytes + 2 * i, 2);
        return float_of_bf16(half);
    case ONNX_DOUBLE:
        memcpy(&wide, t->bytes + 8 * i, 8);
        return (float)wide;
    default:
        memcpy(&value, t->bytes + 4 * i, 4);
        return value;
    }
}

const float *onnx_floats(const OnnxTensor *tensor, Arena *arena)
{
    if (tensor->type == ONNX_FLOAT && (uintptr_t)tensor->bytes % _Alignof(float) == 0)
        return (const float *)(const void *)tensor->bytes;
    float *floats = NEW_ARRAY(arena, float, tensor->elements + 1);
    for (int64_t i = 0; i < tensor->elements; i++)
        floats[i] = float_at(tensor, i);
    return floats;
}

const OnnxAttr *onnx_attr(const OnnxNode *node, const char *name)
{
    for (int i = 0; i < node->n_attrs; i++) {
        if (str_eq(node->attrs[i].name, name))
            return &node->attrs[i];
    }
    return NULL;
}
