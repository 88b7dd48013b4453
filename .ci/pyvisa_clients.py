"""PyVISA with its pure-Python backend drives the emulated COM5003, reads an error from its calculator, and drives the chamber.

The source is set over a plain socket, as no VISA driver exists for it. Real time: the emulation serves TCP at 1 x.
"""

import socket
import sys
import time

import pyvisa

reference_address, source_address = sys.argv[1:3]


def check(condition, text):
    print(("ok    " if condition else "FAIL  ") + text)
    if not condition:
        sys.exit(1)


def tell_source(*commands):
    host, port = source_address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as link:
        for command in commands:
            link.sendall(command.encode() + b"\r")
            answer = b""
            while not answer.endswith(b"\r"):
                answer += link.recv(4096)
            check(answer.strip() == b"SOK" + command[1:3].encode(), f"source: {command} -> {answer!r}")


host, port = reference_address.rsplit(":", 1)
manager = pyvisa.ResourceManager("@py")
com5003 = manager.open_resource(
    f"TCPIP::{host}::{port}::SOCKET", read_termination="\n", write_termination="\n", timeout=3000
)
identity = com5003.query("*IDN?")
check(identity.startswith("ZERA GmbH Koenigswinter, COM5003, "), identity)
check(com5003.query("*OPC?") == "+1", "*OPC? is answered")

# A failing query answers nothing; the status byte and the queue tell.
com5003.write("NONSENSE?|*STB?")
check(com5003.read() == "+4", "a bad header sets bit 2 of the status byte")
check(com5003.query("SYSTem:ERRor?") == "-100,Command error", "and stands in the error queue")
check(com5003.query("SYSTem:ERRor?") == "+0,No error", "which is then empty")

for phase in (1, 2, 3):
    com5003.write(f"SENSe:RNG1:UL{phase}:RANGe 240V;|SENSe:RNG1:IL{phase}:RANGe 100A;")
check(com5003.query("SENSe:RNG1:IL1:RANGe?") == "100A", "ranges read back")
check(float(com5003.query("CALCulate:EC01:0001:REFCONSTANT?")) == 1e7, "the reference constant follows the range")

tell_source(
    "SFR50.00",
    "SUPAER230.000000.00S230.000120.00T230.000240.00",
    "SIPAAR100.000000.00S100.000120.00T100.000240.00",
    "SUIEEEPPPAAA",
)
time.sleep(1.5)
power = com5003.query("MEASure:POW1:PS?")
check(power.startswith("POW1:PS:[W]:") and abs(float(power[12:-1]) / 69000 - 1) < 0.002, power)
com5003.write("CALCulate:EC01:0001:DUTCONSTANT 1000;|CALCulate:EC01:0001:MRATE 40;|CALCulate:EC01:0001:START 1;")
deadline = time.time() + 30
while int(com5003.query("CALCulate:EC01:0001:STATUS?")) & 4 == 0:
    check(time.time() < deadline, "measuring") if time.time() > deadline else time.sleep(0.2)
error = float(com5003.query("CALCulate:EC01:0001:RESULT?"))
energy = float(com5003.query("CALCulate:EC01:0001:ENFINAL?"))
check(abs(energy - 0.040) < 0.0002, f"40 impulses took {energy} kWh of reference energy")
check(0 < abs(error) < 0.3, f"the error of the meter is {error:+.4f} %")
check(abs(error - 100 * (0.040 - energy) / energy) < 0.01, "and follows from the energy")
tell_source("SUIAAAAAAAAA")
time.sleep(0.3)
power = com5003.query("MEASure:POW1:PS?")
check(power == "POW1:PS:[W]:0;", f"off: {power}")
com5003.close()

# The chamber: ASCII-2, lines ended by a carriage return.
host, port = sys.argv[3].rsplit(":", 1)
chamber = manager.open_resource(
    f"TCPIP::{host}::{port}::SOCKET", read_termination="\r", write_termination="\r", timeout=3000
)
nominal, actual, _, specimen, channels = chamber.query("$01I").split()
check(len(channels) == 32 and channels[1] == "0", f"the chamber stands still at {actual} degC")
check(chamber.query("$01E 0040.0 0" + "1" + "0" * 30) == "0", "a set-point is acknowledged")
time.sleep(3)
nominal, actual, _, specimen, channels = chamber.query("$01I").split()
check(nominal == "0040.0" and channels[1] == "1", "it runs towards 40 degC")
check(23.0 < float(actual) < 24.0, f"its air moves: {actual} degC")
check(float(specimen) < float(actual), f"the meter follows later: {specimen} degC")
check(chamber.query("$01E 900.0 0") != "0", "what is no set-point is refused")
chamber.close()
