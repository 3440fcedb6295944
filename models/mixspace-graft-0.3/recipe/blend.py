"""Stage 5: the tuned tower, moved a part of the way back to the one it came from (WiSE-FT, Wortsman et al. 2022).

    python blend.py --work WORK [--share 0.3]

What it gains by tuning it mostly keeps, and what it forgets it mostly gets back. Leaves WORK/blended.pt, and
WORK/shipped.pt: the same with its convolutions rounded to the 8 bits they ship in.
"""

import argparse
from pathlib import Path

import torch

from image_tower import ImageTower
from quantize import convolution_as_shipped

SHARE = 0.3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--share", type=float, default=SHARE, help="of the original")
    args = parser.parse_args()

    tuned = torch.load(args.work / "tuned.pt", weights_only=True)
    original = ImageTower().state_dict()
    tower = {name: torch.lerp(weight, original[name], args.share) for name, weight in tuned["tower"].items()}
    torch.save({"tower": tower, "adapters": tuned["adapters"]}, args.work / "blended.pt")
    shipped = {name: rounded(weight) if weight.dim() == 4 else weight for name, weight in tower.items()}
    torch.save({"tower": shipped, "adapters": tuned["adapters"]}, args.work / "shipped.pt")


def rounded(weight):
    return torch.from_numpy(convolution_as_shipped(weight.contiguous().numpy()))


if __name__ == "__main__":
    main()
