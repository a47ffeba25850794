"""The metrics that say whether a dream is good: one small file a metric.

Each metric is {"value", "spread", "n", "drives"}: `spread` is half of the 95 % interval, clustered by drive, since
frames of one drive are alike; `n` values of `drives` drives stand behind it. What cannot be measured is None with n 0.
`comparison.py` has those of the paper's comparison, over runs, without drives. `table.py` above asks a world for all
the others, `check.py` asks worlds whose answer is known. `image_metrics.py` has the plain formulas: PSNR,
SSIM, Fréchet distance.
"""
