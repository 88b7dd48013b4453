"""dlms-cosem reads the emulated meter: over HDLC and over the wrapper, without and with authentication, in blocks, often; and
over a serial line that keeps its time, after a sign-on at 300 Bd (mode E).

Arguments: what `meterbench emulate` said, and how many associations the long session makes.
"""

import re
import sys
import time
from datetime import datetime, timedelta, timezone

from dlms_cosem import a_xdr, cosem, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.exceptions import DlmsClientException
from dlms_cosem.hdlc.state import NEED_DATA
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, SerialIO, TcpTransport
from dlms_cosem.security import HighLevelSecurityGmacAuthentication, NoSecurityAuthentication

said = open(sys.argv[1]).read()
associations = int(sys.argv[2])


def address(name):
    host, port = re.search(rf"^{name} +tcp://([\d.]+):(\d+)$", said, re.M).groups()
    return host, int(port)


def access(role):
    client, ek, ak = re.search(rf"^meter/1/{role} +client (\d+) +EK (\w+) AK (\w+)(?: PW \w+)?$", said, re.M).groups()
    return int(client), bytes.fromhex(ek), bytes.fromhex(ak)


def check(condition, text):
    print(("ok    " if condition else "FAIL  ") + text)
    if not condition:
        sys.exit(1)


class ByLength:
    """Delimits HDLC frames by their length: the client's own search for a flag hangs where a check sequence ends with one."""

    def recv_until(self, end):
        head = self.recv(1)
        while head == end:
            head = self.recv(1)
        head += self.recv(1)
        length = int.from_bytes(head, "big") & 0x7FF
        return end + head + self.exactly(length - 1)

    def exactly(self, amount):
        got = b""
        while len(got) < amount:
            more = self.recv(amount - len(got))
            if not more:
                raise TimeoutError(f"{len(got)} of {amount} octets came")
            got += more
        return got


class Network(ByLength, BlockingTcpIO):
    pass


class Head(ByLength, SerialIO):
    """A serial line: signs on at 300 Bd, then changes over to HDLC at 9600 Bd."""

    def connect(self):
        super().connect()
        begin = time.monotonic()
        self.send(b"/?!\r\n")
        identification = self.serial_port.read_until(b"\n")
        self.send(b"\x06252\r\n")
        confirmation = self.exactly(6)
        self.sign_on = (identification, confirmation, time.monotonic() - begin)
        self.serial_port.baudrate = 9600


class Hdlc(HdlcTransport):
    """Tries every flag in what it has before it reads on: a flag within the data is no end."""

    def next_event(self):
        while True:
            event = self.hdlc_connection.next_event()
            if event is not NEED_DATA:
                return event
            if b"\x7e" not in self.hdlc_connection.buffer[self.hdlc_connection.buffer_search_position :]:
                self.hdlc_connection.receive_data(self.recv_frame())


class GeneralBlocks:
    """Sends requests in general blocks of 50 octets, several at once where the meter lets it, and puts the answer together."""

    window = 1
    longest = 0
    blocks = 0

    def send_request(self, apdu):
        if apdu[0] in (0x60, 0x62):
            return super().send_request(apdu)
        pieces = [apdu[at : at + 50] for at in range(0, len(apdu), 50)]
        number = taken = acknowledged = 0
        open_window = 1
        whole = b""
        while True:
            streams = []
            while number < min(len(pieces), acknowledged + open_window):
                number += 1
                last, more = number == len(pieces), number < min(len(pieces), acknowledged + open_window)
                streams.append((last << 7 | more << 6 | self.window, number, pieces[number - 1]))
            if not streams:
                number += 1
                streams = [(0x80 | self.window, number, b"")]
            answer = None
            for control, block, piece in streams:
                data = bytes([0xE0, control]) + block.to_bytes(2, "big") + taken.to_bytes(2, "big") + bytes([len(piece)]) + piece
                if control & 0x40:
                    self.io.send(self.wrap(data))
                else:
                    answer = super().send_request(data)
            while True:
                tag, control, block, acknowledged = answer[0], answer[1], *(int.from_bytes(answer[n : n + 2], "big") for n in (2, 4))
                if tag != 0xE0:
                    return answer
                length, at = (answer[6], 7) if answer[6] < 0x80 else (int.from_bytes(answer[7 : 7 + answer[6] - 0x80], "big"), 7 + answer[6] - 0x80)
                assert len(answer) == at + length and block == taken + 1, answer[:12].hex()
                taken, open_window = block, control & 0x3F
                whole += answer[at:]
                GeneralBlocks.blocks += 1
                GeneralBlocks.longest = max(GeneralBlocks.longest, len(answer))
                if control & 0x80:
                    return whole
                if not control & 0x40:
                    break
                answer = self.recv_response()


class BlocksOverTcp(GeneralBlocks, TcpTransport):
    window = 5


class BlocksOverHdlc(GeneralBlocks, Hdlc):
    """Window 1: every block is asked for."""


def transport(kind, client):
    if kind == "wrapper, general blocks":
        host, port = address("meter/1/network")
        return BlocksOverTcp(client_logical_address=client, server_logical_address=1, io=BlockingTcpIO(host, port))
    if kind == "HDLC, general blocks":
        io = Network(*address("meter/1/optical"))
        return BlocksOverHdlc(client_logical_address=client, server_logical_address=1, server_physical_address=17, io=io)
    if kind == "serial":
        path = re.search(r"^meter/1/optical +serial://(\S+)$", said, re.M).group(1)
        io = Head(path, baud_rate=300)
        return Hdlc(client_logical_address=client, server_logical_address=1, server_physical_address=17, io=io)
    host, port = address(f"meter/1/{'optical' if kind == 'HDLC' else 'network'}")
    if kind == "HDLC":
        return Hdlc(
            client_logical_address=client,
            server_logical_address=1,
            server_physical_address=17,
            io=Network(host, port),
        )
    return TcpTransport(client_logical_address=client, server_logical_address=1, io=BlockingTcpIO(host, port))


def attribute(interface, obis, number):
    return cosem.CosemAttribute(interface=interface, instance=cosem.Obis(*obis), attribute=number)


COUNTER = {"management": (0, 0, 43, 1, 2), "reader": (0, 0, 43, 1, 3), "installer": (0, 0, 43, 1, 4)}
Interface = enumerations.CosemInterface


def public(kind):
    return DlmsClient(transport=transport(kind, 16), authentication=NoSecurityAuthentication())


def counter(kind, role):
    with public(kind).session() as meter:
        return utils.parse_as_dlms_data(meter.get(attribute(Interface.DATA, COUNTER[role], 2)))


def client(kind, role, keys=None, at=None):
    number, ek, ak = access(role)
    ek, ak = keys or (ek, ak)
    return DlmsClient(
        transport=transport(kind, number),
        authentication=HighLevelSecurityGmacAuthentication(challenge_length=32),
        encryption_key=ek,
        authentication_key=ak,
        client_system_title=b"CLIENT01",
        client_initial_invocation_counter=counter(kind, role) if at is None else at,
        max_pdu_size=1024,
    )


head = public("serial")
with head.session() as meter:
    identification, confirmation, took = head.transport.io.sign_on
least = (5 + len(identification) + 6 + len(confirmation)) * 10 / 300
check(
    identification == b"/KAm5\\2MB\r\n" and confirmation == b"\x06252\r\n" and least < took < least + 3,
    f"serial: {identification} signs on in {took:.2f} s, of which the line takes {least:.2f} s",
)
for kind in ("HDLC", "wrapper", "serial"):
    with public(kind).session() as meter:
        name = utils.parse_as_dlms_data(meter.get(attribute(Interface.DATA, (0, 0, 42, 0, 0), 2)))
    check(bytes(name).startswith(b"KAM3MB"), f"{kind}: the public client reads the logical device name {bytes(name).decode()}")
    for role in ("reader",) if kind == "serial" else ("reader", "management", "installer"):
        with client(kind, role).session() as meter:
            energy = utils.parse_as_dlms_data(meter.get(attribute(Interface.REGISTER, (1, 0, 1, 8, 0), 2)))
            unit = utils.parse_as_dlms_data(meter.get(attribute(Interface.REGISTER, (1, 0, 1, 8, 0), 3)))
            objects = utils.parse_as_dlms_data(meter.get(attribute(Interface.ASSOCIATION_LN, (0, 0, 40, 0, 0), 2)))
        check(energy >= 0 and unit == [0, 30], f"{kind}, {role}: A+ is {energy} Wh")
        check(len(objects) > 50, f"{kind}, {role}: {len(objects)} objects, in blocks")

for kind in ("wrapper", "HDLC"):
    with client(kind, "management").session() as meter:
        expected = meter.get(attribute(Interface.ASSOCIATION_LN, (0, 0, 40, 0, 0), 2))
    GeneralBlocks.blocks = GeneralBlocks.longest = 0
    at = counter(kind, "management")
    with client(f"{kind}, general blocks", "management", at=at).session() as meter:
        objects = meter.get(attribute(Interface.ASSOCIATION_LN, (0, 0, 40, 0, 0), 2))
        again = meter.set(attribute(Interface.CLOCK, (0, 0, 1, 0, 0), 3), bytes([16, 255, 196]))
    check(again.result == enumerations.DataAccessResult.SUCCESS, f"{kind}: a request in several general blocks is carried out")
    same = objects == expected and GeneralBlocks.blocks > 5 and GeneralBlocks.longest <= 1024
    check(same, f"{kind}: the object list, {len(objects)} octets, in {GeneralBlocks.blocks} general blocks is the one in blocks of GET")

reader = client("wrapper", "reader")
with reader.session() as meter:
    clock = attribute(Interface.CLOCK, (0, 0, 1, 0, 0), 3)
    answer = meter.set(clock, bytes([16, 0, 0]))
    check(answer.result == enumerations.DataAccessResult.READ_WRITE_DENIED, "a reader cannot move the clock to another zone")

# A quarter of an hour ends three seconds after the clock was set: the row is read by time, with the client's own selective access.
profile = attribute(Interface.PROFILE_GENERIC, (1, 0, 99, 1, 0), 2)
of_clock = attribute(Interface.CLOCK, (0, 0, 1, 0, 0), 2)
with client("wrapper", "management").session() as meter:
    answer = meter.set(of_clock, bytes([9, 12, 0x07, 0xEA, 11, 21, 0xFF, 12, 14, 57, 0xFF, 0x80, 0, 0]))
    check(answer.result == enumerations.DataAccessResult.SUCCESS, "management sets the clock")
    time.sleep(5)


def between(first, last):
    zone = timezone(timedelta(hours=1))
    at = [datetime(2026, 11, 21, 12, minute, tzinfo=zone) for minute in (first, last)]
    return RangeDescriptor(CaptureObject(of_clock, 0), *at)


for kind in ("HDLC", "wrapper"):
    with client(kind, "reader").session() as meter:
        found, none = (utils.parse_as_dlms_data(meter.get(profile, between(*at))) for at in ((10, 15), (16, 59)))
        columns = utils.parse_as_dlms_data(meter.get(attribute(Interface.PROFILE_GENERIC, (1, 0, 99, 1, 0), 3)))
    stamp, status, energies = found[0][0], found[0][1], found[0][2:]
    quarter = bytes([0x07, 0xEA, 11, 21, 6, 12, 15, 0, 0, 0xFF, 0xC4, 0])
    check(bytes(stamp) == quarter and status == 0x20 and len(energies) == 4, f"{kind}: the row of 12:15 is {energies}")
    check(len(found) == 1 and none == [] and len(columns) == 6, f"{kind}: one row, no other, six columns")

for what, keys, at in (("a wrong key", (bytes(16), bytes(16)), None), ("a counter that came before", None, 0)):
    refused = ""
    try:
        with client("wrapper", "reader", keys, at).session():
            pass
    except DlmsClientException as error:
        refused = str(error)
    check("AUTHENTICATION_FAILED" in refused, f"{what} is refused: {refused}")

for n in range(associations):
    with client("HDLC" if n % 2 else "wrapper", "reader").session() as meter:
        meter.get(attribute(Interface.REGISTER, (1, 0, 1, 8, 0), 2))
check(True, f"{associations} more associations, none hung")
