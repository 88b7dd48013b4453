"""PyVISA with its pure-Python backend drives the emulated sources of waves: fluke-6105a or ametek-mx.

Set-points, harmonics and a voltage event by the commands of each. What comes out is read by the source and, where the bench has a load, by the reference.
Real time: the emulation serves TCP at 1 x.
"""

import math
import sys
import time

import pyvisa

model, source_address, reference_address = sys.argv[1:4]
manager = pyvisa.ResourceManager("@py")


def check(condition, text):
    print(("ok    " if condition else "FAIL  ") + text)
    if not condition:
        sys.exit(1)


def connect(address):
    host, port = address.rsplit(":", 1)
    return manager.open_resource(
        f"TCPIP::{host}::{port}::SOCKET", read_termination="\n", write_termination="\n", timeout=5000
    )


source = connect(source_address)
# Another connection looks on while the first one works.
onlooker = connect(source_address)
reference = connect(reference_address)


def tell(*commands):
    for command in commands:
        source.write(command)
        error = source.query("SYST:ERR?")
        check(error == '0,"No error"', f"{command[:60]} -> {error}")


def refused(command, code):
    source.write(command)
    error = source.query("SYST:ERR?")
    check(error.startswith(f"{code},"), f"{command[:60]} is refused: {error}")


def watch(question, seconds):
    """Times and values of a question that is asked as often as it can be."""
    seen, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        value = float(onlooker.query(question))
        seen.append((time.monotonic(), value))
    return seen


def dip_of(seen, low):
    """How long the value stood below this (s), and its lowest."""
    below = [at for at, value in seen if value < low]
    check(bool(below), f"the voltage goes below {low} V ({len(seen)} readings)")
    return below[-1] - below[0], min(value for _, value in seen)


def fluke():
    check(source.query("*IDN?").startswith("FLUKE,6105A,"), "who it is")
    check([source.query(f"SOUR:PHAS{n}:FITT?") for n in (1, 2, 3, 4)] == ["1", "1", "1", "0"], "three phases are fitted")
    refused("SOUR:PHAS1:VOLT:NONSENSE 1", -113)
    tell("*CLS", "OUTP:STAT OFF", "*RST", "UNIT:MHAR:VOLT ABS")
    for n, angle in ((1, 0), (2, -120), (3, 120)):
        head = f"SOUR:PHAS{n}"
        tell(f"{head}:VOLT:RANG 0,360", f"{head}:VOLT:MHAR:HARM1 230,{angle}", f"{head}:VOLT:MHAR:STAT ON")
        tell(f"{head}:CURR:RANG 2,21;MHAR:HARM1 14,0;HARM5 4,0;STAT ON", f"{head}:VOLT:STAT ON", f"{head}:CURR:STAT ON")
    refused("SOUR:PHAS1:CURR:MHAR:HARM5 6.4,0", -222)
    tell("SOUR:PHAS1:VOLT:MHAR:HARM5 23,180", "SOUR:FREQ 50", "OUTP:STAT ON")
    check(source.query("*OPC?") == "1" and source.query("OUTP:STAT?") == "1", "the output stands")
    volt = float(source.query("SOUR:PHAS1:VOLT:AMPL?"))
    check(abs(volt - math.hypot(230, 23)) < 0.01, f"fundamental and fifth harmonic are {volt} V together")
    check(source.query("SOUR:PHAS1:VOLT:MHAR:HARM5? PANG") == "1.8E2", "the angle of the fifth harmonic is read back")
    power = float(reference.query("MEASure:POW1:PS?").removeprefix("POW1:PS:[W]:").rstrip(";"))
    # Three times 230 V by 14 A, and the fifths of one phase, which stand against each other.
    wanted = 3 * 230 * 14 - 23 * 4
    check(abs(power / wanted - 1) < 1e-3, f"the reference sees {power} W, {wanted} W are set")
    for n, own in ((1, 0), (2, -120), (3, 120)):
        head = f"SOUR:PHAS{n}:VOLT:DIP"
        tell(f"{head}:ENV 40,0.0001,0.2999,0.0001,0;TRIG:INP EONE;HOLD PHAS,{own}", f"{head}:STAT ON")
    source.write("OUTP:DIP:TRIG")
    lasted, lowest = dip_of(watch("SOUR:PHAS2:VOLT:AMPL?", 0.6), 150)
    check(abs(lasted - 0.3) < 0.04 and abs(lowest - 92) < 0.1, f"a dip to {lowest} V for {lasted * 1000:.0f} ms")
    check(source.query("SYST:ERR?").startswith("0,"), "nothing was wrong with it")
    check(abs(float(source.query("SOUR:PHAS2:VOLT:AMPL?")) - 230) < 0.01, "what stood before stands again")
    tell("OUTP:STAT OFF")
    check(source.query("OUTP:STAT?") == "0" and float(source.query("SOUR:PHAS1:VOLT:AMPL?")) == 0, "off")


def ametek():
    check(source.query("*IDN?").startswith("AMETEK,MX"), "who it is")
    refused("NONSENSE 1", -113)
    tell("*CLS", "ABOR", "OUTP 0", "*RST", "VOLT:RANG 300", "FREQ 50")
    # As the drivers of others write it: several commands in a message.
    for n, angle in ((1, 0.0), (2, 240.0), (3, 120.0)):
        tell(f"inst:coup none;:inst:nsel {n};:phas {angle};:func sin")
    tell("OUTP 1")
    time.sleep(1)
    tell("INST:COUP ALL", "VOLT 230")
    for n in (1, 2, 3):
        volt = float(source.query(f"INST:NSEL {n};:MEAS:VOLT:AC?"))
        check(abs(volt - 230) < 1, f"phase {n} reads {volt} V")
    refused("VOLT 301", -222)
    tell("INST:COUP NONE;:INST:NSEL 2", "VOLT:MODE LIST", "LIST:VOLT 92,230;DWEL 0.3,0.01;COUN 1;STEP AUTO")
    tell("TRIG:SYNC:SOUR PHAS", "TRIG:SYNC:PHAS 90", "TRIG:TRAN:SOUR BUS", "INIT")
    check(source.query("TRIG:STAT?") == "WTRIG", "the list waits for its trigger")
    source.write("*TRG")
    lasted, lowest = dip_of(watch("MEAS:VOLT?", 0.6), 150)
    check(abs(lasted - 0.3) < 0.04 and abs(lowest - 92) < 0.5, f"a list to {lowest} V for {lasted * 1000:.0f} ms")
    check(source.query("TRIG:STAT?") == "IDLE", "and it is over")
    points = [math.sin(2 * math.pi * n / 1024) + 0.1 * math.sin(10 * math.pi * n / 1024) for n in range(1024)]
    tell("TRAC:DEF FIFTH", "TRAC FIFTH," + ",".join(f"{value:.5f}" for value in points), "FUNC FIFTH")
    first, fifth = (float(source.query(f"MEAS:VOLT:HARM? {order}")) for order in (1, 5))
    check(abs(fifth / first - 0.1) < 1e-3, f"the fifth harmonic of a table is {100 * fifth / first:.3f} %")
    total = float(source.query("MEAS:VOLT?"))
    check(abs(total - 230) < 1, f"all of it is {total} V")
    tell("OUTP 0")
    check(source.query("OUTP?") == "0" and float(source.query("MEAS:VOLT?")) == 0, "off")


{"fluke-6105a": fluke, "ametek-mx": ametek}[model]()
