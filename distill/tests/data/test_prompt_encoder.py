"""The prompt encoder: golden vectors shared with src/model/prompt, batching, the cache, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from distill.data import prompt_encoder as prompt

GOLDEN = Path(__file__).resolve().parents[3] / "src" / "model" / "prompt" / "prompt.golden.json"


@pytest.fixture(scope="module")
def encoder() -> prompt.PromptEncoder:
    return prompt.PromptEncoder()


@pytest.fixture(scope="module")
def golden() -> dict:
    return json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.filterwarnings("ignore:A prompt has")
def test_golden_token_ids_and_embeddings(encoder: prompt.PromptEncoder, golden: dict) -> None:
    files = json.loads((prompt.FOLDER / "encoder.json").read_text("utf-8"))["files"]
    assert golden["modelSha256"] == files["model"]["sha256"]
    for case in golden["cases"]:
        assert encoder.tokenize(case["text"]) == case["ids"]
        np.testing.assert_allclose(encoder.encode([case["text"]])[0], case["embedding"], atol=2e-6)


def test_a_text_embeds_the_same_alone_and_in_a_batch(encoder: prompt.PromptEncoder) -> None:
    texts = ["fog", "a long drive through a birch forest in the middle of a rainy summer night", "snow at dawn"]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_words_of_like_meaning_lie_nearer_than_others() -> None:
    night, dark, noon = prompt.embed(
        ["a snowy night drive", "driving in the dark through snow", "hot desert"], cache=None
    )
    assert night @ dark > night @ noon + 0.2


def test_the_cache_answers_without_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "embeddings.sqlite"
    texts = ["rain", "fog", "rain ", "snow"]
    first = prompt.embed(texts, batch=2, cache=cache)
    assert first.shape == (4, 384)
    assert first.dtype == np.float32
    assert np.array_equal(first[0], first[2])

    def refuse(threads: int) -> prompt.PromptEncoder:
        raise AssertionError("the model was asked for a known text")

    monkeypatch.setattr(prompt, "_encoder", refuse)
    assert np.array_equal(prompt.embed(texts[::-1], cache=cache), first[::-1])
    with pytest.raises(AssertionError, match="known text"):
        prompt.embed(["hail"], cache=cache)


def test_no_texts_give_no_rows() -> None:
    assert prompt.embed([], cache=None).shape == (0, 384)


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b"])
def test_an_empty_prompt_is_refused(encoder: prompt.PromptEncoder, text: str) -> None:
    with pytest.raises(ValueError, match="at least one word"):
        encoder.encode([text])


def test_a_long_prompt_is_cut_with_a_warning(encoder: prompt.PromptEncoder) -> None:
    with pytest.warns(UserWarning, match="122 tokens, but at most 64"):
        ids = encoder.tokenize("it rains cats and dogs and the road is gone " * 12)
    assert len(ids) == 64
    assert (ids[0], ids[-1]) == (101, 102)


def test_a_corrupt_model_is_refused(tmp_path: Path) -> None:
    for name in ("encoder.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((prompt.FOLDER / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"model\.onnx of the prompt encoder has sha256"):
        prompt.PromptEncoder(tmp_path)
