# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Random damage to small models: the compiler takes or refuses each, without crash or hang.

usage: fuzz.py [MODEL...] [--count N] [--seed N] [--thimble PATH] [--keep DIR]
"""
import argparse
import pathlib
import random
import struct
import sys
import tempfile

import hostile
from harness.tools import MODELS, THIMBLE, parallel

WORDS = (0, 1, 2, 3, 4, 8, 127, 128, 255, 256, 32767, 65535, 65536, 0x7FFFFFFF, 0x80000000,
         0xFFFFFFFF, 0xFFFFFFFE, 0x7F800000, 0x7FC00000, 0x00000001, 0x3F800000)


def mutant(data, rng):
    """A copy of the bytes with one to four changes, most of them of words that mean something."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        place = rng.randrange(len(data))
        kind = rng.random()
        if kind < 0.25:
            data[place] = rng.randrange(256)
        elif kind < 0.4:
            data[place] ^= 1 << rng.randrange(8)
        elif kind < 0.8:
            place -= place % 4
            data[place:place + 4] = struct.pack("<I", rng.choice(WORDS))[:len(data) - place]
        elif kind < 0.95:
            # One word in place of another: offsets and indices that exist.
            source = rng.randrange(0, len(data) - 4, 4)
            place = rng.randrange(0, len(data) - 4, 4)
            data[place:place + 4] = data[source:source + 4]
        else:
            del data[max(place, 16):]
    return bytes(data)


def run(models, count, seed, thimble=THIMBLE, keep=None):
    """[(seed, model, what went wrong)] of the mutants that were neither taken nor refused."""
    originals = [(m, m.read_bytes()) for m in models]

    def one(number):
        rng = random.Random(number)
        model, data = rng.choice(originals)
        with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
            path = pathlib.Path(directory, "m.tflite")
            path.write_bytes(mutant(data, rng))
            got, message = hostile.behaviour(thimble, path)
            if got not in ("accept", "reject"):
                if keep:
                    pathlib.Path(keep, f"{number}.tflite").write_bytes(path.read_bytes())
                return model.name, f"{got}: {message[:160]}"
        return None

    results = parallel(one, range(seed, seed + count))
    return [(number, *(("", str(bad)) if isinstance(bad, Exception) else bad))
            for number, bad in results if bad]


def small_models(largest=12000):
    return [m for m in sorted(MODELS.glob("*.tflite")) if m.stat().st_size < largest]


def main():
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="*", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--thimble", type=pathlib.Path, default=THIMBLE)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the files that fail")
    options = parser.parse_args()
    wrong = run(options.model or small_models(), options.count, options.seed,
                options.thimble.resolve(), options.keep)
    for number, model, why in wrong:
        print(f"seed {number} ({model}): {why}")
    print(f"{options.count - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
