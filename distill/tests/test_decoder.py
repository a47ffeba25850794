"""The decoder's second training: it learns on dreamed latents, and leaves every latent what it was."""

import pytest
import torch

from distill import autoencoder, decoder, latents, teacher, tmd
from distill.autoencoder import load_codec
from distill.config import UserError, load_config
from distill.prepare import prepare_split
from distill.tests import synthetic


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two episodes, and a codec and a student of a few steps on them."""
    folder = tmp_path_factory.mktemp("decoder")
    synthetic.write(folder, "train", [1, 2], ticks=90)
    synthetic.write(folder, "heldout", [1_000_000], ticks=90)
    for split in ("train", "heldout"):
        prepare_split(folder / split, split)
    base = [f"data={folder}", f"runs={folder}/runs"]
    small = ["channels=12", "decoder_widths=[16,16,8]", "decoder_blocks=[1,1,1]", "batch=4", "pca_frames=20"]
    codec = f"codec={folder}/runs/codec/autoencoder.pt"
    run = lambda stage, *rest: stage.run(load_config(stage.Config, None, [*base, *rest]))  # noqa: E731
    run(autoencoder, *small, "validation_frames=8", "max_steps=2")
    run(latents, codec, "paraphrases=''")
    shape = ["width=24", "blocks=2", "heads=2", "frequencies=8", "batch=8", "max_steps=2"]
    run(teacher, codec, *shape)
    run(tmd, codec, f"teacher={folder}/runs/teacher/teacher.pt", "head_blocks=1", "batch=8", "max_steps=2")
    student = f"student={folder}/runs/tmd/student.pt"
    return folder, lambda *rest: run(
        decoder, codec, student, *small[3:4], "validation_frames=8", "log_steps=2", "learning_rate=1e-2", *rest
    )


def test_it_learns_on_dreams_resumes_and_leaves_latents_alone(made):
    folder, run = made
    run("max_steps=2")
    run("max_steps=4", "resume=true")
    before, after = (load_codec(folder / f"runs/{name}/autoencoder.pt").state_dict() for name in ("codec", "decoder"))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and all(name.startswith("decoder.") and "linear" not in name for name in moved)


def test_a_batch_needs_both_kinds_of_latents(made):
    with pytest.raises(UserError, match="recorded and dreamed"):
        made[1]("near=1.0")
