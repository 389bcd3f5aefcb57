# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The generated API: C++, several models in one program, independent arenas."""
from harness import firmware, goldens
from harness.tools import MODELS, check, compile_model

TWO = r"""
#include "a.h"
#include "b.h"
#include <stdio.h>
#include <string.h>

alignas(A_ARENA_ALIGN) static unsigned char a0[A_ARENA_BYTES], a1[A_ARENA_BYTES];
alignas(B_ARENA_ALIGN) static unsigned char b0[B_ARENA_BYTES];

int main() {
  if (a_init(a0) || a_init(a1) || b_init(b0)) return 1;
  *a_input_0(a0) = 3;
  *a_input_0(a1) = 100;
  *b_input_0(b0) = 3;
  if (a_invoke(a0)) return 2;
  signed char first = *a_output_0(a0);
  if (a_invoke(a1) || b_invoke(b0)) return 2;
  // What ran in between left the first instance's output alone; a twin agrees with it.
  if (*a_output_0(a0) != first || *b_output_0(b0) != first) return 3;
  if (*a_output_0(a1) == first) return 4;
  return 0;
}
"""


def test_instances_and_models_side_by_side_in_cpp(tmp_path):
    model = MODELS / "hello_world_int8.tflite"
    for name in ("a", "b"):
        compile_model(model, tmp_path / name, name)
    (tmp_path / "main.cpp").write_text(TWO)
    includes = ["-I", tmp_path / "a", "-I", tmp_path / "b"]
    objects = []
    for name in ("a", "b"):
        for source in firmware.generated(tmp_path / name)[0]:
            objects.append(tmp_path / f"{name}_{source.stem}.obj")
            check(["gcc", *firmware.STRICT, *firmware.HOST_FLAGS, "-I", source.parent, "-c", source,
                   "-o", objects[-1]], f"compiling {source.name}")
    check(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", *firmware.HOST_FLAGS, *includes,
           tmp_path / "main.cpp", *objects, "-o", tmp_path / "two", "-lm"], "linking")
    check([tmp_path / "two"], "two models in one program")


def test_generated_c_is_cpp_and_clean_with_clang(tmp_path):
    for model in ("kws_ref_model", "hello_world_float", "arm_kws_ds_cnn_s_int16"):
        out = tmp_path / model
        compile_model(MODELS / f"{model}.tflite", out, "m", "cortex-m4")
        for source in firmware.generated(out)[0]:
            check(["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                   "-I", out, source], f"{source.name} as C++")
            check(["clang-22", *firmware.STRICT, "-fsyntax-only", "-I", out, source],
                  f"{source.name} with Clang")


def test_litert_reference_runs(tmp_path):
    samples = goldens.load(MODELS / "hello_world_int8.npz", limit=1)
    compile_model(MODELS / "hello_world_int8.tflite", tmp_path, "m", "generic", "c",
                  ["--reference", "litert"])
    result = firmware.host(tmp_path, "m", samples)
    # LiteRT rounds int8 FULLY_CONNECTED once, tflite-micro twice: apart by little, if at all.
    assert abs(int(result.outputs[0][0].ravel()[0]) - int(samples.outputs[0][0].ravel()[0])) <= 2
