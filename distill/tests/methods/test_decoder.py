"""The decoder's second training: it learns on dreamed latents, and leaves every latent what it was."""

import pytest
import torch

from distill.checkpoints import load_checkpoint
from distill.config import UserError, load_config
from distill.data import latents
from distill.data.prepare import prepare_split
from distill.methods import autoencoder, decoder, teacher, tmd
from distill.methods.autoencoder import Codec, load_codec
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
    shape = ["network=dit", "validation=heldout", "width=24", "blocks=2", "heads=2", "frequencies=8", "batch=8"]
    shape.append("max_steps=2")
    run(teacher, codec, *shape)
    run(
        tmd,
        codec,
        f"teacher={folder}/runs/teacher/teacher.pt",
        "head_blocks=1",
        "batch=8",
        "max_steps=2",
        "validation=heldout",
    )
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


def test_far_dreams_look_from_afar_as_before_and_the_discriminator_has_its_say(made):
    folder, run = made
    options = ["near=0.25", "far=0.25", "far_ticks=9", "gan=0.5", "gan_steps=1"]
    run(*options, "max_steps=3")
    run(*options, "max_steps=5", "resume=true")
    assert load_checkpoint(folder / "runs/decoder/autoencoder.pt", "autoencoder")["step"] == 5


def test_the_losses_of_a_painter():
    torch.manual_seed(0)
    codec = Codec(12, [], [16, 16, 8], [1, 1, 1])
    painter = decoder.Painter(decoder.Config(gan=0.5), codec, torch.device("cpu"))
    latent, frame = torch.randn(4, 12, 6, 10), torch.rand(4, 3, 96, 160)
    with torch.no_grad():
        frame[:3] = codec.decoder(latent[:3])
    found, picture = painter.decoder_loss(latent, frame, 3, heed=False)
    assert found["afar"] == 0 and found["mse"] == 0  # as before, and three as they should be
    assert picture.shape == frame.shape
    with torch.no_grad():
        codec.decoder.out.bias.add_(0.1)
    found, _ = painter.decoder_loss(latent, frame, 3, heed=True)
    assert found["afar"] > 0.05 and found["gan_weight"] > 0
    # at the last layer the discriminator pulls half as hard as the errors
    plain, _ = painter.decoder_loss(latent, frame, 3, heed=False)
    last = codec.decoder.out.weight
    errors = torch.autograd.grad(plain["loss"], last)[0]
    both = torch.autograd.grad(found["loss"], last)[0]
    assert ((both - errors).norm() / errors.norm()).item() == pytest.approx(0.5, rel=1e-2)
    judged = painter.critic_loss(picture, frame)
    judged["critic_loss"].backward()
    assert painter.critic.first.weight.grad.abs().max() > 0 and codec.decoder.out.weight.grad is None


def test_a_batch_needs_both_kinds_of_latents(made):
    with pytest.raises(UserError, match="recorded and dreamed"):
        made[1]("near=1.0")
