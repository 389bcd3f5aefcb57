# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Generated C with kernels of instructions, S registers among them, as compilers of both families
take it for the core: without a warning at any level of optimization, and with equal outputs."""
import pytest

from harness import firmware, goldens
from harness.tools import MODELS, compile_model

MODEL = MODELS / "kws_ref_model.tflite"
ABIS = ["hard", "softfp", "soft"]
# The runtime needs no C library, which this clang has none of for the core.
CLANG = ["--target=thumbv7em-none-eabi", "-ffreestanding"]
COMPILERS = {
    "gcc": ["arm-none-eabi-gcc", "-std=c11"],
    "g++": ["arm-none-eabi-g++", "-x", "c++", "-std=c++17"],
    "clang": ["clang-22", *CLANG, "-std=c11"],
    "clang++": ["clang++-22", *CLANG, "-x", "c++", "-std=c++17"],
}


def command(compiler, abi, *flags):
    """A compiler with its flags."""
    target = [flag for flag in firmware.arm_flags(abi) if flag != "-O2"]
    return [*COMPILERS[compiler], *firmware.WARNINGS, *target, *flags]


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    directory = tmp_path_factory.mktemp("c")
    compile_model(MODEL, directory, "m", "cortex-m4")
    text = (directory / "m.c").read_text()
    assert "THIMBLE_ASM_FP" in text and "vmov" in text, "no kernel uses S registers"
    return directory


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_compiles_without_warnings(generated, tmp_path, compiler, abi):
    levels = [["-O0"], ["-Os"], ["-O3"]]
    if not compiler.startswith("clang"):
        levels.append(["-O3", "-flto"])
    for flags in levels:
        for source in generated.glob("*.c"):
            firmware.compile_c(command(compiler, abi, *flags), source, tmp_path / "m.obj", [])


# Without an FPU the portable functions run.
@pytest.mark.parametrize("compiler, abi, flags", [
    ("gcc", "hard", ["-O0"]), ("gcc", "hard", ["-O3"]), ("gcc", "softfp", ["-Os"]),
    ("gcc", "hard", ["-O2", "-flto"]), ("gcc", "soft", ["-O2"]), ("g++", "soft", ["-O2", "-flto"]),
    ("clang", "hard", ["-O0"]), ("clang", "softfp", ["-O3"]), ("clang++", "hard", ["-Os"]),
    ("clang", "soft", ["-O2"])])
def test_runs(tmp_path, compiler, abi, flags):
    samples = goldens.load(MODEL.with_suffix(".npz"), limit=1)
    compile_model(MODEL, tmp_path, "m", "cortex-m4")
    # Stated is the stack of optimized C.
    elf = firmware.link_device(tmp_path, "m", samples, float_abi=abi,
                               compiler=command(compiler, abi, *flags))
    result = firmware.run_device(elf, "m", samples)
    goldens.compare(result.outputs, samples)
