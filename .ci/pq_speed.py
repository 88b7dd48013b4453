"""How fast the power quality chain is beside two packages, on the same samples.

Arguments: the program of bench/waveform/peers, the signal it wrote, how many turns, and the file that gets the table. In a turn each side
runs until it has taken a second of the processor; the table takes the best of the turns.
"""

import logging
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np
from daqopen.channelbuffer import AcqBuffer
from pqopen.powersystem import PowerSystem

logging.disable(logging.WARNING)
PEERS, SIGNAL, TURNS, REPORT = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
RATE, MEASURED = 8000, 1.0
# By the law of its components: RMS value (V), order 49 [%], u2 [%].
PERCENT = {order: 0.2 + 8 / order for order in range(2, 51)}
TRUE = (230 * np.sqrt(1 + sum((p / 100) ** 2 for p in PERCENT.values())), PERCENT[49], 100 * 0.1 / 2.9)
frames = np.fromfile(SIGNAL, dtype="<f4").reshape(-1, 6).astype(np.float64)
seconds = len(frames) / RATE


def pqopen():
    """Three voltages and three currents, 50 orders, THD, u2 and u0, Urms(1/2); blocks of ten cycles, which suit it best."""
    buffers = [AcqBuffer(size=len(frames)) for _ in range(6)]
    system = PowerSystem(zcd_channel=buffers[0], input_samplerate=RATE)
    for n in range(3):
        system.add_phase(buffers[n], buffers[n + 3], name=str(n + 1))
    system.enable_harmonic_calculation(50)
    started = time.process_time()
    for start in range(0, len(frames), RATE // 5):
        for n, buffer in enumerate(buffers):
            buffer.put_data(frames[start : start + RATE // 5, n])
        system.process()
    took = time.process_time() - started
    last = lambda name: system.output_channels[name].last_sample_value
    row = last("U1_H_rms")
    return took, (float(last("U1_rms")), 100 * float(row[49] / row[1]), float(last("U_unbal_2")))


def machine():
    names = re.findall(r"^model name\s*: (.+)$", open("/proc/cpuinfo").read(), re.M)
    return f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}, load {os.getloadavg()[0]:.1f} before the run"


def turn():
    """Times real time of every side, and what it found."""
    said = subprocess.run([PEERS, "time", SIGNAL], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = {name: (float(speed), tuple(map(float, found))) for name, speed, *found in map(str.split, said.splitlines())}
    runs = []
    while sum(took for took, _ in runs) < MEASURED:
        runs.append(pqopen())
    rows["pqopen-lib"] = (seconds * len(runs) / sum(took for took, _ in runs), runs[-1][1])
    return rows


host, turns = machine(), []
for n in range(TURNS):
    print(f"turn {n + 1} of {TURNS}", flush=True)
    turns.append(turn())
for name, (_, found) in turns[0].items():
    if abs(found[0] - TRUE[0]) > 0.01 * TRUE[0]:
        sys.exit(f"{name} has not measured this signal: {found}, expected {TRUE}")
best = {name: max(rows[name][0] for rows in turns) for name in turns[0]}
rust = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
ratio_text = lambda ratio: f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
with open(REPORT, "w") as file:
    file.write(
        "# Speed of the power quality chain\n\n"
        f"`Config::process_watched` of `firmware/metrology` beside two packages, on the same {seconds:.0f} s of three voltages and three currents at\n"
        f"8 kS/s: 50 Hz, every order from 2 to 50, L2 at 90 %. Made by `bash .ci/pq-speed`. All take turns on one core, {TURNS} times; time is\n"
        "that on the processor, so that others on the machine do not count. A speed is the best of all turns [times real time], the ratio is\n"
        "that of the bests, and beside it stand the smallest and the largest of a single turn. No test depends on it.\n\n"
        f"Machine: {host}; rustc {rust}, Python {platform.python_version()}, numpy {version('numpy')}, pqopen-lib {version('pqopen-lib')},\n"
        "metrology_insight 0.1.5; both Rust sides with link-time optimisation.\n\n"
        "| side | speed | ratio | single turns | wanted | reached | RMS of L1 [V] | order 49 of L1 [%] | u2 [%] |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    for name, wanted in (("meterbench", None), ("pqopen-lib", 20), ("metrology_insight", 5)):
        single = [rows["meterbench"][0] / rows[name][0] for rows in turns]
        ratio = best["meterbench"] / best[name]
        cells = [name, f"{best[name]:.0f}"]
        if wanted:
            cells += [ratio_text(ratio), f"{ratio_text(min(single))} to {ratio_text(max(single))}", wanted]
            cells += ["yes" if ratio >= wanted else "**no**"]
        else:
            cells += ["", "", "", ""]
        found = turns[0][name][1]
        cells += [f"{found[0]:.3f}", f"{found[1]:.4f}", f"{found[2]:.4f}"]
        file.write("| " + " | ".join(map(str, cells)) + " |\n")
    file.write(f"| in the signal | | | | | | {TRUE[0]:.3f} | {TRUE[1]:.4f} | {TRUE[2]:.4f} |\n")
    file.write(
        "\n- Ours is the whole meter: energy registers, impulses and the analysis, sample by sample. Windows of ten cycles with 50 orders by magnitude\n"
        "  and angle of six channels, THD, unbalance, Urms(1/2). No flicker.\n"
        "- pqopen-lib: the same quantities, in blocks of ten cycles. No flicker. Its higher orders droop with its resampling.\n"
        "- metrology_insight: spectra of one cycle, events, its flickermeter up to Pinst; it is fed whole cycles, as its own test does. It is timed with\n"
        "  all of that: its flickermeter cannot be switched off.\n"
    )
print(open(REPORT).read())
