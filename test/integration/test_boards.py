# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The keyword-spotting example on every board: built with the CMake package, inside the part's
memory map, and run where QEMU has the board."""
import pytest

from harness import firmware
from harness.tools import BUILD, ROOT, check

NAMES = sorted(p.stem for p in firmware.BOARDS.glob("*.json"))
TOOLCHAIN = ROOT / "cmake" / "arm-none-eabi.cmake"


def configure_and_build(source, directory, *definitions):
    check(["cmake", "-G", "Ninja", "-S", source, "-B", directory,
           f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}", *definitions], "configuring", timeout=300)
    check(["cmake", "--build", directory], "building", timeout=300)


def inside(address, size, regions):
    return any(base <= address and address + size <= base + length for base, length in regions)


def check_memory_map(elf, board):
    facts = firmware.board_facts(board)
    flash = (int(facts["flash"]["base"], 16), facts["flash"]["size"])
    ram = [(int(r["base"], 16), r["size"]) for r in facts["ram"]]
    vectors = firmware.symbols(elf)["vectors"]
    assert vectors == flash[0], "the vector table does not begin the flash"
    for name, address, size, load in firmware.sections(elf):
        if not size:
            continue
        assert inside(address, size, [flash, *ram]), f"{name} at {address:#x} + {size} in no memory"
        in_ram = inside(address, size, ram)
        if in_ram and name not in (".bss", ".ccm", ".psram", ".sdram"):
            assert inside(load, size, [flash]), f"{name} is loaded from {load:#x}, not from flash"


@pytest.mark.parametrize("emit", ["c", "obj"])
@pytest.mark.parametrize("board", NAMES)
def test_kws(board, emit, tmp_path):
    configure_and_build(ROOT / "examples" / "kws", tmp_path, f"-DBOARD={board}", f"-DEMIT={emit}",
                        f"-DThimble_DIR={BUILD / 'lib' / 'cmake' / 'Thimble'}")
    elf = tmp_path / "kws-firmware.elf"
    check_memory_map(elf, board)
    if firmware.board_facts(board)["qemu"]:
        status, text, calls = firmware.qemu(elf, "kws_invoke", board)
        assert status == 0, text
        assert "spotted:   stop" in text and "all outputs equal" in text, text
        assert calls[-1].depth == 0 and calls[-1].instructions > 1000


def test_unknown_board_is_refused(tmp_path):
    with pytest.raises(Exception, match="(?s)nano33ble.*mps3"):
        configure_and_build(ROOT / "examples" / "cmake-firmware", tmp_path, "-DBOARD=mps3",
                            f"-DThimble_DIR={BUILD / 'lib' / 'cmake' / 'Thimble'}")


def test_user_project_from_an_installation(tmp_path):
    prefix, build = tmp_path / "moved", tmp_path / "build"
    check(["cmake", "--install", BUILD, "--component", "thimble", "--prefix",
           tmp_path / "installed"], "installing")
    (tmp_path / "installed").rename(prefix)
    configure_and_build(ROOT / "examples" / "cmake-firmware", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    check_memory_map(build / "firmware.elf", "nano33ble")
    again = check(["cmake", "--build", build], "building again")
    assert "no work to do" in again
