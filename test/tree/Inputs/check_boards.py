# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Check targets/boards: complete facts, each with a source, and linker scripts that agree."""
import json
import os
import re
import sys

root = sys.argv[1]
boards = os.path.join(root, "targets", "boards")
startup = os.path.join(root, "targets", "startup")
errors = []
names = sorted(f[:-5] for f in os.listdir(boards) if f.endswith(".json"))
if not names:
    errors.append("targets/boards holds no board")


def regions(script):
    """{name: (origin, length)} of a linker script's MEMORY block."""
    block = re.search(r"MEMORY\s*\{(.*?)\}", script, re.S)[1]
    entry = r"(\w+)\s*\(\w+\)\s*:\s*ORIGIN\s*=\s*(0x[0-9a-fA-F]+),\s*LENGTH\s*=\s*(\d+)K"
    return {m[1]: (int(m[2], 16), int(m[3]) * 1024) for m in re.finditer(entry, block)}


for name in names:
    facts = json.load(open(os.path.join(boards, name + ".json"), encoding="utf-8"))

    def check(condition, message):
        if not condition:
            errors.append(f"{name}: {message}")

    check(facts["name"] == name, "the name is not the file's")
    check(facts["core"] == "cortex-m4", "the core is not cortex-m4")
    check(facts["clock_hz"] > 0, "no clock")
    check(facts["console"] in ("semihosting", "uart"), "console is neither semihosting nor uart")
    for fact in ("memory", "clock", "wait_states", "nj_per_cycle"):
        check(facts["sources"].get(fact), f"no source for {fact}")
    if facts["flash"]["wait_states"]:
        check(facts["sources"].get("flash_caches"), "no source for flash_caches")
        for fact in ("line", "instruction_cache", "data_cache", "prefetch"):
            check(fact in facts["flash"], f"no {fact} of the flash")
    for file in facts["startup"]["files"]:
        check(os.path.exists(os.path.join(startup, file)), f"targets/startup/{file} is missing")

    waits = [r["wait_states"] for r in facts["ram"]]
    check(waits == sorted(waits), "a region of RAM is faster than one before it")
    check(facts["ram"][0]["name"] == "RAM", "the first region is not RAM, where the stack is")
    for region in facts["ram"]:
        check(0 <= region.get("reserved", 0) <= region["size"], f"{region['name']} reserves more than it has")

    want = {"FLASH": (int(facts["flash"]["base"], 16), facts["flash"]["size"])}
    want.update({r["name"]: (int(r["base"], 16), r["size"]) for r in facts["ram"]})
    script = os.path.join(boards, name + ".ld")
    if not os.path.exists(script):
        check(False, "no linker script")
        continue
    have = regions(open(script, encoding="utf-8").read())
    check(have == want, f"the linker script has {have}, the facts {want}")
    spans = sorted(want.values())
    for (a, size), (b, _) in zip(spans, spans[1:]):
        check(a + size <= b, f"regions at {a:#x} and {b:#x} overlap")
print("\n".join(errors))
sys.exit(bool(errors))
