"""How fast the protocol crate is beside the Python packages, on the same octets.

Arguments: how many turns, and the file that gets the table. In a turn the benches of the crate run once, then the packages. Both
sides time rounds of about a millisecond and take the best of them, the table takes the best of the turns.
"""

import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from dlms_cosem import dlms_data, security, utils
from dlms_cosem.hdlc.address import HdlcAddress
from dlms_cosem.hdlc.frames import InformationFrame
from dlms_cosem.protocol.xdlms.get import GetResponseNormal

TURNS, REPORT = int(sys.argv[1]), sys.argv[2]
LENGTHS = (3654, 128, 20)
TAG_LENGTH, WHOLE_TAG_LENGTH = 12, 16


def benches(*arguments):
    """What stands before and after the colon on every line of the benches."""
    command = "cargo bench --quiet --locked -p meterbench-iec62056 --bench apdu --bench link --".split()
    said = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(re.findall(r"^(.+?): (\w+)", said, re.M))


def per_second(work):
    """The best of half a second of rounds that take a millisecond or more."""
    calls, best = 1, float("inf")
    end = time.perf_counter() + 0.5
    while (started := time.perf_counter()) < end:
        for _ in range(calls):
            work()
        taken = time.perf_counter() - started
        if taken < 1e-3:
            calls *= 2
        else:
            best = min(best, taken / calls)
    return 1 / best


def same(ours, theirs, what):
    if ours != theirs:
        sys.exit(f"{what}: both sides differ")


def responses(octets):
    """The response of 96 rows. dlms-cosem's own class cannot write its four octets in front of the data."""
    response = octets["GET.response"]
    decode = lambda: utils.parse_as_dlms_data(GetResponseNormal.from_bytes(response).data)
    rows = decode()

    def made():
        row = lambda clock, status, *energies: dlms_data.DataStructure(
            [dlms_data.OctetStringData(clock), dlms_data.UnsignedIntegerData(status)]
            + [dlms_data.DoubleLongUnsignedData(energy) for energy in energies]
        )
        return dlms_data.DataArray([row(*values) for values in rows])

    ready = made()
    same(response, response[:4] + ready.to_bytes(), "response of 96 rows")
    same(len(response), LENGTHS[0], "length of the response")
    what = "GET.response of 96 rows, "
    return [
        (what + "decoded by known columns", "dlms-cosem, to values", 200, decode),
        (what + "decoded value by value", "dlms-cosem, to values", 200, decode),
        (what + "encoded", "dlms-cosem, from numbers", 200, lambda: made().to_bytes()),
        (what + "encoded", "dlms-cosem, from its objects", 200, ready.to_bytes),
    ]


def ciphered(octets, length):
    """Authenticated and encrypted, and opened: by cryptography with the key kept, by dlms-cosem with the key set up every time."""
    plain, apdu = octets["GET.response"][:length], octets[f"{length} octets, ciphered"]
    key, authentication_key, title = (octets[name] for name in ("encryption key", "authentication key", "system title"))
    start = len(apdu) - length - TAG_LENGTH
    control, counter, text = apdu[start - 5 : start - 4], apdu[start - 4 : start], apdu[start:]
    kept, vector, associated = AESGCM(key), title + counter, control + authentication_key
    whole = kept.encrypt(vector, plain, associated)
    same(text, whole[: TAG_LENGTH - WHOLE_TAG_LENGTH], f"{length} octets, ciphered")
    by_package = (security.SecurityControlField.from_bytes(control), title, int.from_bytes(counter, "big"), key)
    seal = lambda: security.encrypt(*by_package, plain, authentication_key)
    unseal = lambda: security.decrypt(*by_package, text, authentication_key)
    same((text, plain), (seal(), unseal()), f"{length} octets, by dlms-cosem")
    sealed, opened = f"{length} octets, authenticated and encrypted", f"{length} octets, opened"
    return [
        (sealed, "cryptography, key kept", 1, lambda: kept.encrypt(vector, plain, associated)),
        (opened, "cryptography, key kept", 1, lambda: kept.decrypt(vector, whole, associated)),
        (sealed, "dlms-cosem, through cryptography", 1, seal),
        (opened, "dlms-cosem, through cryptography", 1, unseal),
    ]


def frames(octets):
    """Information frames from the meter (1/17) to the public client."""
    client, meter = HdlcAddress(16, None, "client"), HdlcAddress(1, 17, "server")
    lines = [octets[f"frame {send}"] for send in range(8)]
    information = lines[0][-3 - 120 : -3]
    encode = lambda send: InformationFrame(client, meter, information, send_sequence_number=send).to_bytes()
    for send, line in enumerate(lines):
        same(line, encode(send), f"frame {send}")
        same(information, InformationFrame.from_bytes(line).payload, f"information of frame {send}")
    return [
        ("HDLC frame, encoded", "dlms-cosem", 200, lambda: encode(1)),
        ("HDLC frame, decoded", "dlms-cosem", 200, lambda: InformationFrame.from_bytes(lines[1])),
    ]


def machine():
    names = re.findall(r"^model name\s*: (.+)$", open("/proc/cpuinfo").read(), re.M)
    return f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}, load {os.getloadavg()[0]:.1f} before the run"


def thousands(number):
    return f"{number:,.0f}".replace(",", " ")


def ratio_text(ratio):
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def row(measured, ours, theirs):
    (what, package, wanted, _), best = measured, max(ours) / max(theirs)
    single = [own / other for own, other in zip(ours, theirs)]
    cells = (what, thousands(max(ours)), package, thousands(max(theirs)), ratio_text(best))
    cells += (f"{ratio_text(min(single))} to {ratio_text(max(single))}", wanted, "yes" if best >= wanted else "**no**")
    return "| " + " | ".join(map(str, cells)) + " |\n"


def main():
    octets = {name: bytes.fromhex(digits) for name, digits in benches("octets").items()}
    host = machine()
    table = responses(octets) + [each for length in LENGTHS for each in ciphered(octets, length)] + frames(octets)
    ours, theirs = [[] for _ in table], [[] for _ in table]
    streams = []
    for turn in range(TURNS):
        print(f"turn {turn + 1} of {TURNS}", flush=True)
        figures = benches()
        streams.append(float(figures[f"{LENGTHS[0]} octets, key stream alone"]))
        for index, (what, _, _, work) in enumerate(table):
            ours[index].append(float(figures[what]))
            theirs[index].append(per_second(work))
    rust = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    rows = [row(*each) for each in zip(table, ours, theirs)]
    microseconds = lambda rates: f"{1e6 / max(rates):.2f}"
    places = {each[:2]: place for place, each in enumerate(table)}
    place = lambda length: places[f"{length} octets, authenticated and encrypted", "cryptography, key kept"]
    whole, least, stream = theirs[place(LENGTHS[0])], theirs[place(LENGTHS[-1])], microseconds(streams)
    sealed = place(LENGTHS[0])
    with open(REPORT, "w") as file:
        file.write(
            "# Speed of the protocol crate\n\n"
            "`firmware/iec62056` beside Python packages, on the same octets: each side makes, and reads, what the other does. Made by\n"
            f"`bash .ci/protocol-speed`. Both take turns on one core, {TURNS} times; a speed is the best of all turns [1/s], the ratio is that of\n"
            "the bests, and beside it stand the smallest and the largest of a single turn. No test depends on it.\n\n"
            f"Machine: {host}; rustc {rust}, Python {platform.python_version()}, dlms-cosem {version('dlms-cosem')},\n"
            f"cryptography {version('cryptography')} with {backend.openssl_version_text()}.\n\n"
            "| what | meterbench | package | its speed | ratio | single turns | wanted | reached |\n"
            "|---|---|---|---|---|---|---|---|\n"
        )
        file.writelines(rows)
        file.write(
            "\n- The response is 3654 octets. *By known columns*: by a client that knows their types. *Value by value*: by one that does not; each\n"
            "  value is looked at and added up, none is kept. dlms-cosem makes lists of numbers and octets, and no dates of them.\n"
            "- Ciphering is AES-128-GCM. The crate has its keys expanded beforehand, and handles whole APDUs, head and copy included.\n"
            "  *Key kept*: so has cryptography, which ciphers the text alone, with a tag of 16 octets of which an APDU has 12. dlms-cosem sets\n"
            "  the key up for every APDU.\n"
            f"- {LENGTHS[0]} octets, authenticated and encrypted, take {microseconds(ours[sealed])} µs, the key stream alone {stream}; most of the rest is the hash, in\n"
            "  multiplications of 128 bits (POLYVAL of RustCrypto, 17 for four blocks). OpenSSL takes 512 bits at a time where the processor\n"
            f"  does: a call of cryptography takes {microseconds(whole)} µs for {LENGTHS[0]} octets, {microseconds(least)} µs for {LENGTHS[-1]}. There is no unsafe code here, and no crate was\n"
            "  found that takes wider ones, is safe to call, and checks a tag that is cut to 12 octets.\n"
            "- A frame has 120 octets of information, and 132 with its flags.\n"
        )
    print(open(REPORT).read())


main()
