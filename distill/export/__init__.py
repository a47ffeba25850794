"""What leaves this folder: a world for the browser, weights to commit, a tiny test world. Door: `world.run`."""
