# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""A model whose outputs are the results of all its operators: layer-by-layer comparison of anything
that can run models."""
import struct

import flatbuffers.number_types as types
from flatbuffers.table import Table

# Numbers of fields in the format's tables.
MODEL_SUBGRAPHS, SUBGRAPH_OUTPUTS, SUBGRAPH_OPERATORS, OPERATOR_OUTPUTS = 2, 2, 3, 2


def _field(table, number):
    """Where a field is."""
    return table.Pos + table.Offset(4 + 2 * number)


def _tables(table, number):
    vector = table.Vector(_field(table, number) - table.Pos)
    count = table.VectorLen(_field(table, number) - table.Pos)
    return [Table(table.Bytes, table.Indirect(vector + 4 * i)) for i in range(count)]


def _integers(table, number):
    vector = table.Vector(_field(table, number) - table.Pos)
    count = table.VectorLen(_field(table, number) - table.Pos)
    return [table.Get(types.Int32Flags, vector + 4 * i) for i in range(count)]


def with_all_outputs(model):
    """(bytes of the changed model, indices of the tensors that are its outputs, in order)."""
    data = bytearray(model)
    root = Table(data, struct.unpack_from("<I", data)[0])
    graph = _tables(root, MODEL_SUBGRAPHS)[0]
    outputs = [t for op in _tables(graph, SUBGRAPH_OPERATORS)
               for t in _integers(op, OPERATOR_OUTPUTS)]
    place = _field(graph, SUBGRAPH_OUTPUTS)
    data += bytes(-len(data) % 4)
    struct.pack_into("<I", data, place, len(data) - place)
    data += struct.pack(f"<I{len(outputs)}i", len(outputs), *outputs)
    return bytes(data), outputs
