# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""make_inputs.py DIR: inputs of hello_world_int8 as .npy and .npz, good and bad."""
import pathlib
import sys
import zipfile


def npy(shape, data):
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


folder = pathlib.Path(sys.argv[1])
one = npy("(1, 1)", b"\x05")
(folder / "x.npy").write_bytes(one)
(folder / "two.npy").write_bytes(npy("(2, 1, 1)", b"\x05\x06"))
for name, entry, method in (("stored", "input_0", zipfile.ZIP_STORED),
                            ("deflated", "input_0", zipfile.ZIP_DEFLATED),
                            ("named", "x", zipfile.ZIP_STORED)):
    with zipfile.ZipFile(folder / f"{name}.npz", "w", method) as archive:
        archive.writestr(f"{entry}.npy", one)
damaged = bytearray((folder / "stored.npz").read_bytes())
damaged[damaged.index(one) + len(one) - 1] ^= 1
(folder / "broken.npz").write_bytes(damaged)
