"""Oneiro's training code: episodes in, a world's folder of assets out. One file a method; see README.md."""
