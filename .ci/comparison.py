"""What the comparisons with packages of others share: a line for each, the reading of COMTRADE, MHKiT without its plotting packages."""

import importlib
import logging
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import numpy as np

logging.disable(logging.WARNING)
failed = False


def check(what, found, expected, tolerance, unit):
    global failed
    good = found is not None and abs(found - expected) <= tolerance
    failed |= not good
    print(f"{'ok  ' if good else 'FAIL'} {what}: {found} {unit}, expected {expected:.6g} within {tolerance:.3g}")


def worst(what, pairs, tolerance, unit):
    """One line for many pairs: the one that lies farthest apart."""
    found, expected = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    check(f"{what}, the worst of {len(pairs)}", float(found), float(expected), tolerance, unit)


def finish():
    sys.exit(1 if failed else 0)


def mhkit_quality():
    """`mhkit.power.quality` as it is, without the plotting packages that `import mhkit` asks for."""
    place = Path(find_spec("mhkit").submodule_search_locations[0])
    for name in ("mhkit", "mhkit.utils", "mhkit.power"):
        module = types.ModuleType(name)
        module.__path__ = [str(place.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module
    sys.modules["mhkit.utils"].convert_to_dataset = importlib.import_module("mhkit.utils.type_handling").convert_to_dataset
    return importlib.import_module("mhkit.power.quality")


def read_comtrade(path):
    """Channels by numpy, and the rate: a record is two integers, the values, a word of statuses. `comtrade` reads the same, slowly."""
    head = Path(f"{path}.cfg").read_text().splitlines()
    count = int(head[1].split(",")[1][:-1])
    lines = [line.split(",") for line in head[2 : 2 + count]]
    rate, _, kind = head[5 + count].split(",")[0], head[6 + count], head[8 + count]
    value = {"FLOAT32": "<f4", "BINARY32": "<i4"}[kind]
    record = np.dtype([("number", "<u4"), ("stamp", "<u4"), ("values", value, (count,)), ("status", "<u2")])
    data = np.fromfile(f"{path}.dat", dtype=record)
    assert np.all(np.diff(data["number"].astype(int)) == 1), "samples count from one without a gap"
    channels = {line[1]: data["values"][:, n].astype(float) * float(line[5]) for n, line in enumerate(lines)}
    return channels, int(rate)
