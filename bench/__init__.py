"""Speed and weight as ratios against floors of the same run: `python -m bench` writes docs/benchmarks.md."""
