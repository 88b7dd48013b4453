"""Waves in closed form against packages that read COMTRADE and measure power quality.

Argument: a directory that the example `stimuli` of bench/waveform has written. Every line of the output is a comparison with its
tolerance; one that fails ends in exit code 1. Why a tolerance is what it is stands beside it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from comtrade import Comtrade
from daqopen.channelbuffer import AcqBuffer
from pqopen.eventdetector import EventDetectorLevelHigh, EventDetectorLevelLow
from pqopen.powerquality import VoltageFluctuation
from pqopen.powersystem import PowerSystem

from comparison import check, finish, mhkit_quality, read_comtrade, worst

DIRECTORY = Path(sys.argv[1])
CHANNELS = ["UL1", "UL2", "UL3", "IL1", "IL2", "IL3"]


def columns(name):
    return read_comtrade(DIRECTORY / f"{name}.FLOAT32")[0]


def round_trip(truth):
    """The same wave in three encodings, read by the package comtrade."""
    name, peak = truth["name"], truth["udin"] * np.sqrt(2)
    plain = columns(name)
    for encoding in truth["encodings"]:
        reader = Comtrade(use_numpy_arrays=True, use_double_precision=True)
        path = str(DIRECTORY / f"{name}.{encoding}")
        reader.load(path + ".cfg", path + ".dat")
        assert reader.rev_year == "2013" and reader.ft == encoding, (reader.rev_year, reader.ft)
        assert reader.analog_channel_ids == list(plain) and reader.status_channel_ids == ["EVENT"]
        check(f"comtrade {encoding}: samples", reader.total_samples, truth["samples"], 0, "")
        check(f"comtrade {encoding}: rate", reader.cfg.sample_rates[0][0], truth["rate"], 0, "1/s")
        # Both ends of the event lie on samples.
        check(f"comtrade {encoding}: event", int(np.sum(reader.status[0])), round(0.03 * truth["rate"]), 0, "samples")
        for n, channel in enumerate(plain):
            # A float of 32 bits has 24 binary digits, the integers have 31: the float beside it is what limits.
            off = float(np.max(np.abs(np.asarray(reader.analog[n]) - plain[channel])))
            check(f"comtrade {encoding}: {channel} off", off, 0.0, (peak if n < 3 else 10) * 2**-23, "V or A")


class Measured:
    """pqopen-lib on the channels of a file."""

    def __init__(self, truth, zero_crossings="UL1", phases=("1", "2", "3"), harmonics=13):
        data = columns(truth["name"])
        self.rate, size = truth["rate"], truth["samples"]
        self.buffers = {}
        for name in CHANNELS:
            self.buffers[name] = AcqBuffer(size=size)
        self.system = PowerSystem(zcd_channel=self.buffers[zero_crossings], input_samplerate=self.rate)
        for phase in phases:
            self.system.add_phase(self.buffers[f"UL{phase}"], self.buffers[f"IL{phase}"], name=phase)
        if harmonics:
            self.system.enable_harmonic_calculation(harmonics)
        block = self.rate // 5
        for start in range(0, size, block):
            for name, buffer in self.buffers.items():
                buffer.put_data(data[name][start : start + block])
            self.system.process()
        self.size = size

    def series(self, channel):
        return self.system.output_channels[channel].read_data_by_acq_sidx(0, self.size)[0]


def windows(truth):
    """RMS values, frequency, unbalance and the lower harmonics of three phases."""
    measured, name = Measured(truth), truth["name"]
    hertz = measured.series("Freq")[10:-5]
    # Its crossings are interpolated on a filtered wave; peers of class A have 10 mHz.
    worst(f"pqopen {name}: frequency", [(f, truth["hertz"]) for f in hertz], 0.002, "Hz")
    for n, channel in enumerate(CHANNELS):
        true = truth["channels"][n]
        volts = measured.series(f"{channel[0]}{channel[2]}_rms")[1:-1]
        # Its window ends on a whole sample: a sample of 5120 is 0.02 % of a cycle, of which rms feels the half.
        worst(f"pqopen {name}: {channel} rms", [(u, true["rms"]) for u in volts], 2e-4 * true["rms"], "V or A")
    # Its transform is resampled by straight lines, which droop as sinc²: 0.2 % at order 13 and 25.6 kS/s. Off 50 Hz its windows of whole
    # samples leak: 0.3 % altogether. Higher orders are left to MHKiT.
    for n in range(3):
        true = truth["channels"][n]["subgroups"]
        read = measured.series(f"U{n + 1}_H_rms")[1:-1]
        for order in (3, 5, 7, 9, 11, 13):
            pairs = [(float(row[order]), true[order]) for row in read]
            worst(f"pqopen {name}: UL{n + 1} order {order}", pairs, 0.004 * true[order] + 0.01, "V")
    for channel, expected in zip(("U_unbal_2", "U_unbal_0"), truth["unbalance"]):
        # Off 50 Hz its window is no whole number of samples, and the third harmonic leaks: a fraction of class A, which is 0.15 %.
        worst(f"pqopen {name}: {channel}", [(u, expected) for u in measured.series(channel)[1:-1]], 0.006, "%")


def events(truth):
    """Dips and swells of one phase. Never interruptions: it loses its zero crossings there."""
    measured, name, udin = Measured(truth, "UL2", ("1",), 0), truth["name"], truth["udin"]
    channel = measured.system.output_channels["U1_1p_hp_rms"]
    for true in truth["events"]:
        if true["kind"] == "dip":
            detector = EventDetectorLevelLow(0.90 * udin, 0.02 * udin, channel)
        else:
            detector = EventDetectorLevelHigh(1.10 * udin, 0.02 * udin, channel)
        found = detector.process(measured.rate // 2, measured.size)
        check(f"pqopen {name}: {true['kind']}s", len(found), 1, 0, "")
        if len(found) == 1 and found[0]["stop_sidx"] is not None:
            # Half cycles end on whole samples, and its crossings move by one while the wave jumps: 0.2 % of Udin is class A.
            check(f"pqopen {name}: extreme", float(found[0]["extrem_value"]), true["extreme"], 0.002 * udin, "V")
            seconds = (found[0]["stop_sidx"] - found[0]["start_sidx"]) / measured.rate
            check(f"pqopen {name}: duration", 1e3 * seconds, 1e3 * true["seconds"], 1.0, "ms")
    check(f"closed form {name}: events", len(truth["events"]), 1, 0, "")


def flicker(truth):
    data = columns(truth["name"])
    u, rate, cycle = data["UL1"], truth["rate"], truth["rate"] // 50
    meter = VoltageFluctuation(samplerate=rate)
    for start in range(0, len(u) // (10 * cycle) * 10 * cycle, 10 * cycle):
        block = u[start : start + 10 * cycle]
        halves = np.sqrt(np.mean(block.reshape(-1, cycle // 2) ** 2, axis=1))
        meter.process(start, halves, block)
    begin, end = int(truth["flicker"]["from_s"] * rate), len(u)
    # Two flickermeters: the standard allows each 5 % of Pst and 8 % of Pinst; at the points of its tables they agree within 1 %.
    check(f"pqopen {truth['name']}: Pst", float(meter.calc_pst(begin, end)), truth["flicker"]["pst"], 0.01, "")
    pinst = float(np.max(meter._pinst_channel.read_data_by_acq_sidx(begin, end)[0]))
    check(f"pqopen {truth['name']}: Pinst", pinst, truth["flicker"]["pinst_max"], 0.015 * truth["flicker"]["pinst_max"], "")


def harmonics(truth, quality):
    """Groups of IEC 61000-4-7 over exactly ten cycles, all orders."""
    data = columns(truth["name"])
    count = truth["rate"] // 5
    for n, channel in enumerate(CHANNELS):
        # The window of the closed form begins at the zero crossing of the channel; magnitudes of whole cycles do not care where.
        frame = pd.DataFrame({channel: data[channel][:count]}, index=np.arange(count) / truth["rate"])
        amplitudes = quality.harmonics(frame, truth["rate"], 50)
        groups = quality.harmonic_subgroups(amplitudes, 50)
        true = truth["channels"][n]
        pairs = [(groups[channel][50 * order] / np.sqrt(2), true["subgroups"][order]) for order in range(1, 51)]
        # A float of 32 bits in the file.
        worst(f"mhkit {truth['name']}: {channel} subgroups", pairs, 1e-6 * true["rms"], "V or A")
        distortion = float(np.squeeze(quality.total_harmonic_current_distortion(groups).to_numpy()))
        check(f"mhkit {truth['name']}: {channel} distortion of orders 2 to 49", distortion, true["thds_49"], 1e-4, "%")


quality = mhkit_quality()
for truth in json.loads((DIRECTORY / "truth.json").read_text()):
    if len(truth["encodings"]) > 1:
        round_trip(truth)
    if truth["flicker"]:
        flicker(truth)
    elif truth["event"]:
        events(truth)
    elif truth["rate"] == 25600:
        windows(truth)
    else:
        harmonics(truth, quality)
finish()
