"""What emulated meters said of the waves a run played, against packages of others that measure the same waves from `waveforms/`.

Arguments: directories of runs. Every line is a comparison with its tolerance; one that fails, or a run with nothing to compare, ends in exit
code 1. The waves are those commanded; between them and the meter stand the emulated source and the analogue front end, so tolerances are the
uncertainties of class A and of the source, not rounding.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from daqopen.channelbuffer import AcqBuffer
from pqopen.eventdetector import EventDetectorLevelHigh, EventDetectorLevelLow
from pqopen.powersystem import PowerSystem

from comparison import check, finish, mhkit_quality, read_comtrade

FIRST_CODE, DIP, SWELL = 128, 128, 129
# Of Udin: class A has 0.2 %, the source half of that.
EXTREME_PERCENT = 0.3
# Of the fundamental: the last digit of a spectrum is 1 mV of 230 V, the analogue front end adds its droop at high orders.
HARMONIC_PERCENT = 0.03
# The registers of unbalance have two decimals; the phases of the front end differ by some minutes of arc.
UNBALANCE_PERCENT = 0.03
compared = 0


def measure(data, rate, phases):
    """pqopen-lib on voltages, synchronised to L1."""
    size = len(data["UL1"])
    buffers = {phase: AcqBuffer(size=size) for phase in phases}
    system = PowerSystem(zcd_channel=buffers["1"], input_samplerate=rate)
    for phase, buffer in buffers.items():
        system.add_phase(buffer, name=phase)
    if len(phases) == 3:
        system.enable_harmonic_calculation(13)
    for start in range(0, size, rate // 5):
        for phase, buffer in buffers.items():
            buffer.put_data(data[f"UL{phase}"][start : start + rate // 5])
        system.process()
    return lambda channel: system.output_channels[channel]


def events(run, played, name, measurements, udin):
    """The first dip or swell of a step, on L1 alone, at its zero crossing: a row of the meter against a row of pqopen-lib."""
    global compared
    event = played["voltage_event"]
    rows = [row for m in measurements for row in m.get("raw", {}).get("events", []) if row["code"] in (DIP, SWELL)]
    # Below a tenth it loses its zero crossings; off them it cuts other cycles than the method.
    if event["phases"] != [True, False, False] or event["share"] < 0.1 or event["point_on_wave_deg"] or not rows:
        return
    data, rate = read_comtrade(run / "waveforms" / name)
    channel = measure(data, rate, "1")("U1_1p_hp_rms")
    detector = EventDetectorLevelLow if event["share"] < 1 else EventDetectorLevelHigh
    found = detector((0.9 if event["share"] < 1 else 1.1) * udin, 0.02 * udin, channel).process(rate // 10, len(data["UL1"]))
    check(f"{name}: pqopen finds", len(found), 1, 0, "event")
    if len(found) != 1:
        return
    row, found = rows[0], found[0]
    volts = row["extreme"] / 1e4 * udin
    check(f"{name}: the meter's extreme beside pqopen's", volts, float(found["extrem_value"]), EXTREME_PERCENT / 100 * udin, "V")
    seconds = (found["stop_sidx"] - found["start_sidx"]) / rate
    # Class A: half a cycle at the begin and half a cycle at the end.
    check(f"{name}: the meter's duration beside pqopen's", row["duration_ms"], 1e3 * seconds, 20.0, "ms")
    compared += 1


def harmonics(run, played, name, measurements, quality):
    """Every order that was read, on every phase, over exactly ten cycles."""
    global compared
    if played["sines"]["hertz"] != 50 or any("interharmonic" in wave or "modulation" in wave for wave in waves(played)):
        return
    data, rate = read_comtrade(run / "waveforms" / name)
    for m in measurements:
        kind, _, rest = (m.get("subject") or "").partition("-harmonic-l")
        if m["quantity"] != "harmonic" or m["unit"] != "%" or not rest:
            continue
        phase, _, orders = rest.partition(", order ")
        channel, first = f"{'U' if kind == 'voltage' else 'I'}L{phase}", int(orders.split(" ")[0])
        frame = pd.DataFrame({channel: data[channel][: rate // 5]}, index=np.arange(rate // 5) / rate)
        groups = quality.harmonic_subgroups(quality.harmonics(frame, rate, 50), 50)[channel]
        read = m.get("readings") or [m["value"]["number"]]
        pairs = [(value, 100 * groups[50 * (first + n)] / groups[50]) for n, value in enumerate(read)]
        value, expected = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
        tolerance = HARMONIC_PERCENT + 0.001 * expected
        check(f"{name}: {channel} by the meter beside MHKiT's, the worst of {len(pairs)} orders", value, float(expected), tolerance, "%")
        compared += 1


def unbalance(run, played, name, measurements):
    global compared
    said = {m.get("subject"): m["value"].get("number") for m in measurements if m["quantity"] == "reading"}
    if not {"unbalance-negative", "unbalance-zero"} & said.keys() or played["sines"]["hertz"] != 50:
        return
    data, rate = read_comtrade(run / "waveforms" / name)
    series = measure(data, rate, "123")
    for subject, channel in (("unbalance-negative", "U_unbal_2"), ("unbalance-zero", "U_unbal_0")):
        if said.get(subject) is None:
            continue
        expected = float(series(channel).last_sample_value)
        check(f"{name}: {subject} by the meter beside pqopen's", said[subject], expected, UNBALANCE_PERCENT, "%")
        compared += 1


def waves(played):
    waveform = played.get("waveform", {})
    return waveform.get("voltage", []) + waveform.get("current", [])


def look(run, quality):
    record = json.loads((run / "record.json").read_text())
    udin = record["positions"][0]["meter"]["un_volt"]
    with open(run / "waveforms" / "index.csv", newline="") as index:
        rows = list(csv.DictReader(index))
    # What was played several times stands in one file; a long event in two, which are not compared.
    files = {int(row["step"]): row["name"] for row in reversed(rows) if row["samples"] and not row["name"].endswith(("-begin", "-end"))}
    for step, name in sorted(files.items()):
        of_step = [played for played in record["played"] if played["step"] == step]
        measurements = [m for m in record["measurements"] if m["step"] == step and m["position"] == 1]
        played = of_step[0]
        if len({json.dumps([p["sines"], p.get("waveform"), p.get("voltage_event")]) for p in of_step}) > 1:
            continue
        if "voltage_event" in played:
            events(run, played, name, measurements, udin)
        else:
            harmonics(run, played, name, measurements, quality)
            unbalance(run, played, name, measurements)


quality = mhkit_quality()
for directory in map(Path, sys.argv[1:]):
    compared = 0
    look(directory, quality)
    # A run in which nothing is compared proves nothing.
    check(f"{directory.name}: comparisons, at least 3", float(min(compared, 3)), 3, 0, "")
finish()
