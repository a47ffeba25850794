"""Networks: what a frame is coded as, what dreams the next one, what reads its instruments. Door: `sampler`."""
