"""iec62056-21 (mode C) reads an emulated OMNIPOWER whose configuration lets it read out in plain. Argument: HOST:PORT."""

import sys

from iec62056_21.client import Iec6205621Client

host, port = sys.argv[1].split(":")
client = Iec6205621Client.with_tcp_transport(address=(host, int(port)))
client.connect()
answer = client.standard_readout()
client.disconnect()
read = {line.address: (line.value, line.unit) for line in answer.data}
ok = client.manufacturer_id == "KAm" and read.get("1-0:1.8.0") == ("000000.000", "kWh") and "0-0:96.1.0" in read
print(("ok    " if ok else "FAIL  ") + f"iec62056-21 reads {read}")
sys.exit(0 if ok else 1)
