"""From recorded episodes to training samples: packed frames, latents, captions, windows. Door: `dataset`."""
