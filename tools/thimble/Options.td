// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Options of the driver.

include "llvm/Option/OptParser.td"

class F<string name, string help> : Flag<["--"], name>, HelpText<help>;
class V<string name, string meta, string help>
    : Separate<["--"], name>, HelpText<help>, MetaVarName<meta>;

def help : F<"help", "show this help">;
def version : F<"version", "show the version">;
def output_dir : Separate<["-"], "o">, HelpText<"folder to write to">, MetaVarName<"DIR">;

def name : V<"name", "NAME", "prefix of files and symbols (default: the model's file name)">;
def target : V<"target", "TARGET", "cortex-m4, generic or a board (default: cortex-m4)">;
def emit : V<"emit", "KIND", "c, obj, asm or mlir (default: c)">;
def optimize : V<"optimize", "GOAL", "speed, balanced, ram or flash (default: speed)">;
def ram : V<"ram", "BYTES", "budget of arena and stack, with K or M suffix">;
def flash : V<"flash", "BYTES", "budget of code and constants, with K or M suffix">;
def reference : V<"reference", "WHICH", "tflm or litert: whose rounding to follow (default: tflm)">;
def instrument : F<"instrument", "call thimble_layer_hook after each layer">;
def float_abi : V<"float-abi", "ABI", "hard, softfp or soft (default: hard)">;
def compile_to : V<"compile-to", "PHASE", "stop after this phase and write the module">;
def dump_phases : V<"dump-phases", "DIR", "write the module after each phase">;
def report : V<"report", "KINDS", "reports to write: json (always written)">;

// Of later versions: named here so that they are refused, never ignored.
class Later<string name> : Separate<["--"], name>;
def quantize : Later<"quantize">;
def calibrate : Later<"calibrate">;
def prune : Later<"prune">;
def io : Later<"io">;
def stream_input : Flag<["--"], "stream-input">;

def input : V<"input", "FILE", "input as .npy, once for each, or all as .npz">;
def output : V<"output", "FILE", "output as .npy, once for each, or all as .npz">;
