"""Does the image of the STM32F405 board fit its memories?

Flash and RAM are read from the sections of the ELF file. The stack is bounded by static analysis of the machine code:

* the frame of a function is everything it pushes and subtracts from SP, added up, whether or not one path does both;
* a call (BL, or a branch out of the function) adds the depth of the function called;
* a call through a register may reach every function whose address stands in the constants or in the code, and such calls are
  followed `INDIRECT` deep: deeper nesting of trait objects does not occur in this firmware, but is not excluded by the code;
* start-up, `init` and `idle` count once; on top comes every interrupt handler of the vector table, as if all had interrupted
  one another, each with the frame that the processor pushes with its floating-point unit in use.

A recursion is an error, unless it only runs through a register: then INDIRECT bounds it.
"""

import struct
import sys

FLASH, RAM, STACK = 1024 * 1024, 128 * 1024, 64 * 1024
EXCEPTION_FRAME = 26 * 4 + 4
INDIRECT = 4
IDLE_HANDLERS = {"DefaultHandler_", "DefaultPreInit", "HardFault_", "HardFaultTrampoline", "HardFault"}


class Image:
    """Sections, functions and words of an ELF file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        if self.bytes[:5] != b"\x7fELF\x01":
            sys.exit(f"{path} is no 32-bit ELF file")
        offset = struct.unpack_from("<I", self.bytes, 32)[0]
        size, count, names = struct.unpack_from("<HHH", self.bytes, 46)
        headers = [struct.unpack_from("<10I", self.bytes, offset + n * size) for n in range(count)]
        name = lambda header: self.text(headers[names][4] + header[0])
        self.sections = {name(h): h for h in headers}
        self.functions, self.names, marks = {}, {}, []
        table = self.sections[".symtab"]
        strings = headers[table[6]]
        for at in range(table[4], table[4] + table[5], 16):
            word, value, length, info, _, section = struct.unpack_from("<IIIBBH", self.bytes, at)
            symbol = self.text(strings[4] + word)
            if symbol[:2] in ("$t", "$d"):
                marks.append((value, symbol[1] == "t"))
            elif info & 15 == 2 and length and section < count:
                self.functions[value & ~1] = max(length, self.functions.get(value & ~1, 0))
                self.names.setdefault(value & ~1, symbol)
        text = self.sections[".text"]
        marks = sorted(set(marks)) + [(text[3] + text[5], False)]
        self.code = [(a, b, code) for (a, code), (b, _) in zip(marks, marks[1:])]

    def text(self, at):
        return self.bytes[at : self.bytes.index(b"\0", at)].decode()

    def words(self, section):
        _, _, _, address, offset, size, *_ = self.sections[section]
        return [(address + n, struct.unpack_from("<I", self.bytes, offset + n)[0]) for n in range(0, size - 3, 4)]

    def half(self, address):
        _, _, _, start, offset, _, *_ = self.sections[".text"]
        return struct.unpack_from("<H", self.bytes, offset + address - start)[0]

    def is_code(self, address):
        for start, end, code in self.code:
            if start <= address < end:
                return code
        return False


def expand(value):
    """The modified immediate constant of Thumb-2."""
    low, kind = value & 0xFF, value >> 8
    if kind < 4:
        return [low, low << 16 | low, low << 24 | low << 8, low * 0x01010101][kind]
    turn = value >> 7
    base = 0x80 | value & 0x7F
    return (base >> turn | base << (32 - turn)) & 0xFFFFFFFF


def signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


class Function:
    """Frame and calls of one function."""

    def __init__(self, image, start, length, addresses):
        self.frame, self.calls, self.indirect, self.unknown = 0, set(), False, []
        registers, at, end = {}, start, start + length
        while at < end:
            if not image.is_code(at):
                at += 2
                continue
            one = image.half(at)
            if one >> 11 in (0b11101, 0b11110, 0b11111):
                two = image.half(at + 2)
                self.wide(one, two, at, start, end, registers, addresses)
                at += 4
            else:
                self.narrow(one, at, start, end)
                at += 2

    def jump(self, target, start, end):
        if not start <= target < end:
            self.calls.add(target)

    def narrow(self, op, at, start, end):
        if op & 0xFE00 == 0xB400:
            self.frame += 4 * bin(op & 0x1FF).count("1")
        elif op & 0xFF80 == 0xB080:
            self.frame += 4 * (op & 0x7F)
        elif op & 0xF800 == 0xE000:
            self.jump(at + 4 + 2 * signed(op & 0x7FF, 11), start, end)
        elif op & 0xF000 == 0xD000 and op & 0xE00 != 0xE00:
            self.jump(at + 4 + 2 * signed(op & 0xFF, 8), start, end)
        elif op & 0xFF87 == 0x4780 or op & 0xFF87 == 0x4687 or (op & 0xFF87 == 0x4700 and op >> 3 & 15 != 14):
            self.indirect = True

    def wide(self, one, two, at, start, end, registers, addresses):
        immediate = (one >> 10 & 1) << 11 | (two >> 12 & 7) << 8 | two & 0xFF
        register = two >> 8 & 15
        if one == 0xE92D:
            self.frame += 4 * bin(two).count("1")
        elif one == 0xF84D and two & 0x0F00 == 0x0D00:
            self.frame += two & 0xFF
        elif one == 0xE96D:
            self.frame += 4 * (two & 0xFF)
        elif one & 0xFFBF == 0xED2D:
            self.frame += 4 * (two & 0xFF)
        elif one & 0xFBEF == 0xF1AD and two & 0x8F00 == 0x0D00:
            self.frame += expand(immediate)
        elif one & 0xFBFF == 0xF2AD and two & 0x8F00 == 0x0D00:
            self.frame += immediate
        elif one == 0xEBAD and two & 0x0F00 == 0x0D00:
            if two & 15 in registers and not two & 0x70F0:
                self.frame += registers[two & 15]
            else:
                self.unknown.append(at)
        elif one & 0xFBF0 == 0xF240 and not two & 0x8000:
            registers[register] = (one & 15) << 12 | immediate
        elif one & 0xFBF0 == 0xF2C0 and not two & 0x8000 and register in registers:
            registers[register] |= ((one & 15) << 12 | immediate) << 16
            addresses.add(registers[register])
        elif one & 0xFBEF == 0xF04F and not two & 0x8000:
            registers[register] = expand(immediate)
        elif one & 0xF800 == 0xF000 and two & 0x9000 == 0x9000:
            sign, j1, j2 = one >> 10 & 1, two >> 13 & 1, two >> 11 & 1
            offset = sign << 24 | (1 - (j1 ^ sign)) << 23 | (1 - (j2 ^ sign)) << 22 | (one & 0x3FF) << 12 | (two & 0x7FF) << 1
            self.jump(at + 4 + signed(offset, 25), start, end)
        elif one & 0xF800 == 0xF000 and two & 0xD000 == 0x8000 and one & 0x380 != 0x380:
            offset = (one >> 10 & 1) << 20 | (two >> 11 & 1) << 19 | (two >> 13 & 1) << 18 | (one & 63) << 12 | (two & 0x7FF) << 1
            self.jump(at + 4 + signed(offset, 21), start, end)


class Stack:
    """Depths over the graph of calls."""

    def __init__(self, image):
        self.image, addresses = image, set()
        self.functions = {a: Function(image, a, n, addresses) for a, n in image.functions.items()}
        for section in (".rodata", ".data"):
            addresses.update(word for _, word in image.words(section))
        addresses.update(word for at, word in image.words(".text") if not image.is_code(at))
        self.targets = [a & ~1 for a in addresses if a & 1 and a & ~1 in self.functions]
        self.known, self.running = {}, []

    def name(self, address):
        return self.image.names.get(address, hex(address))

    def depth(self, address, indirect=INDIRECT):
        if (address, indirect) in self.known:
            return self.known[address, indirect]
        if address not in self.functions:
            sys.exit(f"a call goes to {address:#x}, which is no function: its stack is not known")
        if (address, indirect) in self.running:
            sys.exit(f"{self.name(address)} calls itself: its stack has no bound")
        function = self.functions[address]
        if function.unknown:
            sys.exit(f"{self.name(address)} takes stack by a register at {function.unknown[0]:#x}: its stack is not known")
        self.running.append((address, indirect))
        below = max((self.depth(call, indirect) for call in function.calls), default=0)
        if function.indirect and indirect:
            below = max([below] + [self.depth(target, indirect - 1) for target in self.targets])
        self.running.pop()
        self.known[address, indirect] = function.frame + below
        return function.frame + below


def main():
    image = Image(sys.argv[1])
    size = lambda name: image.sections[name][5] if name in image.sections else 0
    text = size(".vector_table") + size(".text") + size(".rodata")
    data, bss = size(".data"), size(".bss") + size(".uninit")
    stack = Stack(image)
    vectors = [word & ~1 for _, word in image.words(".vector_table")]
    reset, handlers = vectors[1], {v for v in vectors[2:] if v}
    handlers = sorted((v for v in handlers if stack.name(v) not in IDLE_HANDLERS), key=stack.name)
    worst = stack.depth(reset)
    print(f"text  {text:8} byte  flash, {100 * (text + data) / FLASH:.1f} % of {FLASH} with the initial values of data")
    print(f"data  {data:8} byte  RAM")
    print(f"bss   {bss:8} byte  RAM, {100 * (data + bss) / RAM:.1f} % of {RAM} with data; what the DMA reaches")
    print(f"stack {worst:8} byte  start-up, init and idle, by analysis of the machine code")
    for handler in handlers:
        depth = stack.depth(handler) + EXCEPTION_FRAME
        worst += depth
        print(f"stack {depth:8} byte  interrupt {stack.name(handler)}, with the frame of the processor")
    print(f"stack {worst:8} byte  all at once, {100 * worst / STACK:.1f} % of {STACK} of CCM; calls through registers followed {INDIRECT} deep")
    for what, used, limit in (("flash", text + data, FLASH), ("RAM", data + bss, RAM), ("stack", worst, STACK)):
        if used > limit:
            sys.exit(f"{what}: {used} bytes do not fit {limit}")
    print("fits")


main()
