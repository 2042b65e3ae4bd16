/**
 * The smallest Linux program that ends at once with status 0, for an architecture as Go calls it: an ELF header, one
 * segment, and a few instructions. undefined for one whose instructions are not known here. elf(5)
 */
export function createTinyProgram(architecture: string): Uint8Array | undefined {
  const machine = machines.get(architecture);
  return machine === undefined ? undefined : writeElf(machine);
}

interface Machine {
  /** `e_machine` */
  readonly number: number;
  /** `e_flags`: which ABI it is. */
  readonly flags?: number;
  readonly bits: 32 | 64;
  readonly isBigEndian?: boolean;
  /** The bytes of `exit(0)` in hex, in the order of the file. */
  readonly code: string;
}

/** Each is tried with qemu-user in `tiny-program.test.ts`. */
const machines: ReadonlyMap<string, Machine> = new Map([
  // mov $60, %eax; xor %edi, %edi; syscall
  ["amd64", { number: 62, bits: 64, code: "b83c000000 31ff 0f05" }],
  // mov $1, %eax; xor %ebx, %ebx; int $0x80
  ["386", { number: 3, bits: 32, code: "b801000000 31db cd80" }],
  // mov x8, #93; mov x0, #0; svc #0
  ["arm64", { number: 183, bits: 64, code: "a80b80d2 000080d2 010000d4" }],
  // mov r7, #1; mov r0, #0; svc #0 (EABI version 5)
  ["arm", { number: 40, flags: 0x5000000, bits: 32, code: "0170a0e3 0000a0e3 000000ef" }],
  // li a7, 93; li a0, 0; ecall
  ["riscv64", { number: 243, bits: 64, code: "9308d005 13050000 73000000" }],
  // li r0, 1; li r3, 0; sc (ELFv2)
  ["ppc64le", { number: 21, flags: 2, bits: 64, code: "01000038 00006038 02000044" }],
  // lghi %r2, 0; svc 1
  ["s390x", { number: 22, bits: 64, isBigEndian: true, code: "a7290000 0a01" }],
  // ori $a7, $zero, 93; ori $a0, $zero, 0; syscall 0
  ["loong64", { number: 258, bits: 64, code: "0b748103 04008003 00002b00" }],
  // li $v0, 5058; li $a0, 0; syscall (n64, MIPS64r2)
  ["mips64le", { number: 8, flags: 0x80000007, bits: 64, code: "c2130224 00000424 0c000000" }],
]);

/** Where the file is mapped; a multiple of the largest page that machines have (64 KiB). */
const address = 0x400000;
const [executable, currentVersion, loadSegment, readAndExecute] = [2, 1, 1, 5];

function writeElf({ number, flags = 0, bits, isBigEndian = false, code }: Machine): Uint8Array {
  const is64 = bits === 64;
  const [headerSize, segmentSize] = is64 ? [64, 56] : [52, 32];
  const start = headerSize + segmentSize;
  const instructions = Buffer.from(code.replaceAll(" ", ""), "hex");
  const size = start + instructions.length;
  const short = (value: number): Buffer => writeNumber(value, 2, isBigEndian);
  const word = (value: number): Buffer => writeNumber(value, 4, isBigEndian);
  const wide = (value: number): Buffer => writeNumber(value, is64 ? 8 : 4, isBigEndian);
  const identity = Buffer.alloc(16);
  identity.write("\x7fELF", "latin1");
  identity.set([is64 ? 2 : 1, isBigEndian ? 2 : 1, currentVersion], 4);
  const header = Buffer.concat([
    identity,
    short(executable),
    short(number),
    word(currentVersion),
    wide(address + start),
    wide(headerSize),
    wide(0),
    word(flags),
    ...[headerSize, segmentSize, 1, 0, 0, 0].map(short),
  ]);
  const place = [wide(0), wide(address), wide(address), wide(size), wide(size)];
  const segment = is64
    ? [word(loadSegment), word(readAndExecute), ...place, wide(0x10000)]
    : [word(loadSegment), ...place, word(readAndExecute), wide(0x10000)];
  return Buffer.concat([header, ...segment, instructions]);
}

function writeNumber(value: number, size: 2 | 4 | 8, isBigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntLE(value, 0, Math.min(size, 6));
  return isBigEndian ? Buffer.from(bytes.toReversed()) : bytes;
}
