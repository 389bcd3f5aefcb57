# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""What a plan lets each step read and write, found by playing the text of phase `plan`.

The compiler has code of its own for this (mcu::livesOf); this is written from the dialect's reference."""
import collections
import math
import re
import typing

from .tools import Failed


class Range(typing.NamedTuple):
    """Bytes [begin, end) of the arena."""
    begin: int
    end: int


class Event(typing.NamedTuple):
    """A call of a layer's function or of a stream's driver, or a move of the rows at `source` to what it
    writes (None: they are filled). `positions` are those of the stream that it is part of."""
    step: int
    layer: int | None = None
    kernel: str = ""
    driver: int | None = None
    reads: tuple = ()
    writes: tuple = ()
    source: int | None = None
    positions: tuple = ()

    def __str__(self):
        if self.driver is not None:
            return f"driver {self.driver}"
        what = "move of rows" if self.layer is None else f"layer {self.layer} ({self.kernel})"
        return f"step {self.step}, {what}"


class Buffer(typing.NamedTuple):
    """Bytes of the arena; `offset` is None for a constant."""
    offset: int | None
    bytes: int = 0
    row_bytes: int = 0
    ring: int = 0
    lifetime: str = "constant"
    lazy: bool = False

    def all(self):
        return Range(self.offset, self.offset + self.bytes)


class Walk(typing.NamedTuple):
    """How a stage goes through an operand, in rows; see mcu.kernel."""
    buffer: str
    writes: bool
    first: int = 0
    advance: int = 0
    extent: int = 0


class Stage(typing.NamedTuple):
    layer: int | None
    kernel: str
    walks: list
    scratch: list


class Stream(typing.NamedTuple):
    schedule: list | None
    positions: str | None
    stages: list


STRING = r'"((?:[^"\\]|\\.)*)"'
TYPE = re.compile(r"<([0-9x]*?)([a-z]+)(\d+), \w+, (\w+)(?:, ring = (\d+))?>")


def buffer_of(text, offset):
    """The buffer of the type that ends `text`."""
    dims, _, bits, lifetime, ring = TYPE.findall(text)[-1]
    shape, width = [int(d) for d in dims.split("x") if d], (int(bits) + 7) // 8
    row, ring = math.prod(shape[2:]) * width, int(ring or 0)
    return Buffer(offset, ring * row if ring else math.prod(shape) * width, row, ring, lifetime)


def names(text, keyword):
    """The values of a clause such as `ins(%1, %2 : types)`."""
    clause = re.search(rf"\b{keyword}\((%[^:]*) :", text)
    return clause[1].split(", ") if clause else []


def numbers(text, keyword):
    clause = re.search(rf"\b{keyword} \[([-\d, ]*)\]", text)
    return [int(n) for n in clause[1].split(",") if n.strip()] if clause else None


class Plan:
    """The mcu.program of a file."""

    def __init__(self, path):
        self.buffers, self.streams, self.outputs = {}, [], []
        text = path.read_text(errors="replace").split("{-#")[0]
        for line in text.splitlines():
            self.read(line.strip())

    def read(self, line):
        value = re.match(r"(%\S+) = mcu\.(\w+) (.*)", line)
        operation = re.match(r"mcu\.(\w+) (.*)", line)
        if value:
            self.read_buffer(value[1], value[2], re.sub(STRING, '""', value[3]))
        elif operation and operation[1] == "stream":
            self.streams.append(Stream(numbers(line, "schedule"), next(iter(names(line, "positions")), None), []))
        elif operation and operation[1] == "output":
            self.outputs.append(re.search(r"%\S+", re.sub(STRING, '""', line))[0])
        elif operation and operation[1] in ("kernel", "copy_rows", "fill_rows"):
            self.streams[-1].stages.append(getattr(self, "read_" + operation[1])(operation[2]))

    def read_buffer(self, name, kind, text):
        if kind == "alias":
            source, byte = re.match(r"(%\S+)\[(\d+)\]", text).groups()
            offset = self.buffers[source].offset
            self.buffers[name] = buffer_of(text, None if offset is None else offset + int(byte))
        elif kind in ("input", "buffer"):
            placed = re.search(r" at (\d+) : (\d+)( lazy)?", text)
            if not placed or placed[1] != "0":
                raise Failed("the shadow is that of one arena that holds all buffers")
            self.buffers[name] = buffer_of(text, int(placed[2]))._replace(lazy=bool(placed[3]))
        else:
            self.buffers[name] = Buffer(None)

    def read_kernel(self, text):
        index, _, kernel = re.match(rf"(\d+) {STRING} {STRING}", text).groups()
        text = re.sub(STRING, '""', text)
        inputs, outputs = names(text, "ins"), names(text, "outs")
        ways = [numbers(text, keyword) or [0] * len(inputs + outputs) for keyword in ("walk", "by", "rows")]
        walks = [Walk(buffer, i >= len(inputs), *way)
                 for i, (buffer, way) in enumerate(zip(inputs + outputs, zip(*ways)))
                 if self.buffers[buffer].offset is not None]
        return Stage(int(index), kernel, walks, names(text, "scratch"))

    def read_copy_rows(self, text):
        source, ring, rows = re.match(r"(%\S+) to (%\S+) rows\((\d+)\)", text).groups()
        return Stage(None, "", [Walk(source, False, 0, int(rows), int(rows)),
                                Walk(ring, True, 0, int(rows), int(rows))], [])

    def read_fill_rows(self, text):
        ring, rows = re.match(r"(%\S+) value\(-?\d+\) rows\((\d+)\)", text).groups()
        return Stage(None, "", [Walk(ring, True, 0, int(rows), int(rows))], [])

    def with_lifetime(self, lifetime):
        return [b.all() for b in self.buffers.values() if b.lifetime == lifetime]

    def results(self):
        return [self.buffers[name].all() for name in self.outputs]

    def events(self):
        """What happens in an inference, in order."""
        found, step, drivers = [], 0, 0
        for stream in self.streams:
            if stream.schedule is None:
                found.append(self.single(step, stream.stages[0]))
                step += 1
                continue
            positions = (self.buffers[stream.positions].all(),)
            found.append(Event(step, driver=drivers, reads=positions, writes=positions))
            drivers += 1
            player = Player(self.buffers, stream)
            for number in stream.schedule:
                found += [e._replace(positions=positions) for e in player.fire(number, step)]
                step += 1
        return found

    def single(self, step, stage):
        every = [self.buffers[w.buffer].all() for w in stage.walks]
        written = [self.buffers[w.buffer].all() for w in stage.walks if w.writes]
        scratch = [self.buffers[name].all() for name in stage.scratch]
        return Event(step, stage.layer, stage.kernel, reads=(*every, *scratch), writes=(*written, *scratch))


class Player:
    """Fires the stages of a stream, and knows where rows are."""

    def __init__(self, buffers, stream):
        self.buffers, self.stages = buffers, stream.stages
        # Of a ring: rows that have left it, rows in use. Of an operand: how far it has come.
        self.left, self.used = collections.Counter(), collections.Counter()
        self.at = {(s, w): walk.first for s, stage in enumerate(stream.stages)
                   for w, walk in enumerate(stage.walks)}

    def fire(self, number, step):
        """The events of a firing."""
        stage = self.stages[number]
        lazy = [w.buffer for w in stage.walks if w.writes and self.buffers[w.buffer].lazy]
        before = [move for ring in lazy for move in self.release(ring, step)]
        touched = [self.rows(number, w) for w in range(len(stage.walks))]
        scratch = [self.buffers[name].all() for name in stage.scratch]
        written = [r for r, walk in zip(touched, stage.walks) if walk.writes]
        event = Event(step, stage.layer, stage.kernel, reads=(*touched, *scratch), writes=(*written, *scratch))
        if stage.layer is None:
            event = event._replace(source=touched[0].begin if len(touched) > 1 else None,
                                   reads=tuple(touched[:-1]))
        return [*before, event, *self.move_on(number, step)]

    def rows(self, number, w):
        """What a firing touches of an operand."""
        walk = self.stages[number].walks[w]
        buffer = self.buffers[walk.buffer]
        if walk.advance == 0:
            return buffer.all()
        if buffer.ring and walk.writes:
            row = self.used[walk.buffer]
        else:
            row = self.at[number, w] - self.left[walk.buffer]
        found = Range(buffer.offset + row * buffer.row_bytes,
                      buffer.offset + (row + walk.extent) * buffer.row_bytes)
        if row < 0 or found.end > buffer.all().end:
            raise Failed(f"stage {number} touches {found} of {buffer}")
        return found

    def move_on(self, number, step):
        """After a firing: the rows that move to the front of rings, as events."""
        moves = []
        for w, walk in enumerate(self.stages[number].walks):
            self.at[number, w] += walk.advance
            if self.buffers[walk.buffer].ring == 0 or walk.advance == 0:
                continue
            if walk.writes:
                self.used[walk.buffer] += walk.advance
            elif not self.buffers[walk.buffer].lazy:
                moves += self.release(walk.buffer, step)
        return moves

    def release(self, ring, step):
        """What all readers of a ring have passed makes room."""
        passed = min(self.at[s, w] for s, stage in enumerate(self.stages)
                     for w, walk in enumerate(stage.walks) if walk.buffer == ring and not walk.writes)
        rows = min(passed - self.left[ring], self.used[ring])
        if rows <= 0:
            return []
        self.left[ring] += rows
        self.used[ring] -= rows
        if self.used[ring] <= 0:
            return []
        buffer = self.buffers[ring]
        gone, stay = rows * buffer.row_bytes, self.used[ring] * buffer.row_bytes
        source = buffer.offset + gone
        return [Event(step, source=source, reads=(Range(source, source + stay),),
                      writes=(Range(buffer.offset, buffer.offset + stay),))]
