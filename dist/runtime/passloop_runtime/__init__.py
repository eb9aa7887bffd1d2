"""A small server that speaks the Open Inference Protocol v2 (REST and gRPC) for one scikit-learn-like model."""

from pathlib import Path

__version__ = (Path(__file__).parent / "VERSION").read_text(encoding="ascii").strip()
