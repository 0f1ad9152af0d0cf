/* onnx_scan.h: a look at the bytes of a protobuf message before a library unpacks them. */
#ifndef RNC_ONNX_SCAN_H
#define RNC_ONNX_SCAN_H

#include "base/diag.h"

#include <protobuf-c/protobuf-c.h>

/* Messages in messages deeper than this are no model of ONNX: ModelProto, GraphProto, NodeProto,
 * AttributeProto, TensorProto and StringStringEntryProto are six. */
enum { ONNX_DEPTH_MOST = 16 };

/* Checks that the bytes are a message of this type as the wire format asks for: numbers of fields,
 * lengths inside what contains them, messages inside messages no deeper than ONNX_DEPTH_MOST, no
 * more of them than `most`.  False after a message about `path` that names the byte. */
bool onnx_scan(const ProtobufCMessageDescriptor *type, const unsigned char *bytes, size_t size,
               size_t most, const char *path, Diag *diag);

#endif
