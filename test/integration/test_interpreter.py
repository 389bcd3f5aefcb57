# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""`thimble run` on every recorded sample, and layer by layer against tflite-micro."""
import pathlib

import numpy as np
import pytest
from tflite_micro.python.tflite_micro import runtime

from harness import goldens, oracle
from harness.inner_tensors import with_all_outputs
from harness.tools import MODELS, SHARED
from shared_models import UNSUPPORTED, models

FOLDER = SHARED / "models"
RECORDED = [(m.stem, m, [m.with_suffix(".npz")]) for m in sorted(MODELS.glob("*.tflite"))]
if (FOLDER / "manifest.json").exists():
    RECORDED = [row for row in models(FOLDER) if row[0] not in UNSUPPORTED]
LAYERED = ("kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8")


@pytest.mark.parametrize("name,path,files", RECORDED, ids=[row[0] for row in RECORDED])
def test_recorded(name, path, files):
    for file in files:
        samples = goldens.load(file, limit=100)
        for inputs, wants in zip(samples.inputs, samples.outputs):
            gots = oracle.thimble_run(path, inputs, len(wants))
            goldens.compare([[g.reshape(w.shape) for g, w in zip(gots, wants)]],
                            goldens.Samples([inputs], [wants]))


@pytest.mark.parametrize("row", [r for r in RECORDED if r[0] in LAYERED], ids=lambda r: r[0])
def test_layers(row, tmp_path):
    _, path, files = row
    data, tensors = with_all_outputs(pathlib.Path(path).read_bytes())
    changed = tmp_path / "layers.tflite"
    changed.write_bytes(data)
    samples = goldens.load(files[0], limit=2)
    for inputs in samples.inputs:
        reference = runtime.Interpreter.from_file(
            str(path), intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)
        for k, array in enumerate(inputs):
            reference.set_input(array, k)
        reference.invoke()
        gots = oracle.thimble_run(changed, inputs, len(tensors))
        for layer, (tensor, got) in enumerate(zip(tensors, gots)):
            want = np.array(reference.GetTensor(tensor, 0)["tensor_data"])
            why = goldens.difference(got.reshape(want.shape), want)
            assert not why, f"layer {layer} (tensor {tensor}): {why}"
