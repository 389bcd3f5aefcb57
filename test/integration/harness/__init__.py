# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Compile models with the built driver, build and run the result, compare with the references."""
