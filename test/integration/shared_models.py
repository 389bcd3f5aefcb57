# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""A folder of models with a manifest: which there are, their goldens, what is not supported yet."""
import json
import pathlib

# Models that compile refuses, and a word that its message has to contain.
UNSUPPORTED = {
    "audio_preprocessor_int8": "Signal",
    "keyword_scrambled_8bit": "SVDF",
    "mnist_lstm_int8": "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "mnist_lstm_float": "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "mww_v2_alexa": "CALL_ONCE",
    "mww_v2_hey_jarvis": "CALL_ONCE",
    "mww_v2_vad": "CALL_ONCE",
    "kws_ref_model_float32": "hybrid",
    "catdog_2L_hybrid": "hybrid",
}


def models(folder):
    """[(name, path of the model, [paths of goldens])] of the manifest's TFLite models that exist."""
    folder = pathlib.Path(folder)
    rows = []
    for name in sorted(json.loads((folder / "manifest.json").read_text())["tflite"]):
        path = folder / "models" / f"{name}.tflite"
        goldens = [g for kind in ("golden_smooth", "golden", "golden_real")
                   if (g := folder / kind / f"{name}.npz").exists()]
        if path.exists() and goldens:
            rows.append((name, path, goldens))
    return rows
