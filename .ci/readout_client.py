"""iec62056-21 (mode C) reads an emulated OMNIPOWER whose configuration lets it read out in plain.

Argument: HOST:PORT, or the path of a serial line that keeps the time of one.
"""

import sys
import time

import serial
from iec62056_21.client import Iec6205621Client
from iec62056_21.transports import SerialTransport


class PseudoTerminal(SerialTransport):
    """Without parity, which a pseudo-terminal has not; and changes over without half a second's sleep, in which a quick meter
    has begun to speak."""

    def connect(self):
        self.port = serial.Serial(self.port_name, baudrate=300, timeout=self.timeout)

    def switch_baudrate(self, baud):
        self.port.baudrate = baud


where = sys.argv[1]
if where.startswith("/"):
    client = Iec6205621Client(PseudoTerminal(where))
else:
    host, port = where.split(":")
    client = Iec6205621Client.with_tcp_transport(address=(host, int(port)))
client.connect()
begin = time.monotonic()
client.startup()
took = time.monotonic() - begin
client.ack_with_option_select("readout")
client.transport.switch_baudrate(client.switchover_baudrate)
answer = client.read_response()
client.disconnect()
read = {line.address: (line.value, line.unit) for line in answer.data}
ok = client.manufacturer_id == "KAm" and read.get("1-0:1.8.0") == ("000000.000", "kWh") and "0-0:96.1.0" in read
if where.startswith("/"):
    # The request has 5 characters, what stands around the identification 7; each takes 10 bits.
    least = (5 + 7 + len(client.identification)) * 10 / 300
    ok = ok and least < took < least + 3
print(("ok    " if ok else "FAIL  ") + f"iec62056-21 reads {read}, sign-on {took:.2f} s")
sys.exit(0 if ok else 1)
