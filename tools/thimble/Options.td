// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Options of the driver.

include "llvm/Option/OptParser.td"

class F<string name, string help> : Flag<["--"], name>, HelpText<help>;
// A value follows as the next word or after an equals sign.
multiclass V<string name, string meta, string help> {
  def "" : Separate<["--"], name>, HelpText<help>, MetaVarName<meta>;
  def _eq : Joined<["--"], name # "=">, Alias<!cast<Option>(NAME)>;
}

def help : F<"help", "show this help">;
def version : F<"version", "show the version">;
def output_path : Separate<["-"], "o">, HelpText<"folder to write to; for 'report' the file">, MetaVarName<"PATH">;

defm name : V<"name", "NAME", "prefix of files and symbols (default: the model's file name)">;
defm target : V<"target", "TARGET", "cortex-m4, generic or a board (default: cortex-m4)">;
defm region : V<"region", "NAME:BYTES[:WAITS]", "RAM in place of the target's, with wait states of a word; repeatable, fastest first">;
defm emit : V<"emit", "KIND", "c, obj, asm or mlir (default: c)">;
defm optimize : V<"optimize", "GOAL", "speed, balanced, ram or flash (default: speed)">;
defm ram : V<"ram", "BYTES", "budget of arena and stack, with K or M suffix">;
defm flash : V<"flash", "BYTES", "budget of code and constants, with K or M suffix">;
defm reference : V<"reference", "WHICH", "tflm or litert: whose rounding to follow (default: tflm)">;
def stream_input : F<"stream-input", "take the input row by row, through NAME_push_rows">;
def instrument : F<"instrument", "call thimble_layer_hook after each layer">;
defm float_abi : V<"float-abi", "ABI", "hard, softfp or soft (default: hard)">;
defm compile_to : V<"compile-to", "PHASE", "stop after this phase and write the module">;
defm dump_phases : V<"dump-phases", "DIR", "write the module after each phase">;
defm prefer_kernel : V<"prefer-kernel", "NAME", "choose this kernel wherever it applies; repeatable, for tests">;
defm report : V<"report", "KINDS", "json, which is always written, html or both: html,json (default: json)">;

// Of later versions: named here so that they are refused, never ignored.
class Later<string name> : Separate<["--"], name>;
def quantize : Later<"quantize">;
def calibrate : Later<"calibrate">;
def prune : Later<"prune">;
def io : Later<"io">;

defm json : V<"json", "FILE", "write the figures as JSON; - for the output">;
defm input : V<"input", "FILE", "input as .npy, once for each, or all as .npz">;
defm output : V<"output", "FILE", "output as .npy, once for each, or all as .npz">;
