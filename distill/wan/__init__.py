"""Wan2.1 text to video as the teacher of TMD (arXiv 2601.09881), at the paper's sizes. README.md says how to run it."""
