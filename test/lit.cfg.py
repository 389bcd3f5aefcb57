# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The lit suite: dialects, passes, driver, emitters and the tree itself.

Substitutions besides the tools: %models is test/models, %root the source tree, %python the
interpreter of the suite's own scripts, which import nothing that is not in Python itself.
"""
import os

import lit.formats
from lit.llvm import llvm_config

config.name = "thimble"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "integration", "models", "unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.thimble_binary_root, "test")

llvm_config.use_default_substitutions()
# `not`, `count` and `split-file` by their bare names.
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
bin_dir = os.path.join(config.thimble_binary_root, "bin")
tools = ["thimble", "thimble-opt", "thimble-operators-doc", "thimble-place", "thimble-translate",
         "thimble-reduce", "thimble-lsp-server"]
# A tool that is not built is left as it is: its tests fail by name instead of the whole suite.
llvm_config.add_tool_substitutions(
    [tool for tool in tools if os.path.exists(os.path.join(bin_dir, tool))]
    + ["split-file", "llvm-readelf", "llvm-objdump", "mlir-tblgen"],
    [bin_dir, config.llvm_tools_dir],
)
config.substitutions.append(("%models", os.path.join(config.test_source_root, "models")))
config.substitutions.append(("%root", config.thimble_source_root))
config.substitutions.append(
    ("%llvm_include", os.path.join(config.llvm_tools_dir, os.pardir, "include")))
config.substitutions.append(("%python", config.thimble_python))
# Output must not depend on the locale; ccache and sanitizer settings come from outside.
config.environment["LC_ALL"] = "C"
llvm_config.with_system_environment(["ASAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR"])
