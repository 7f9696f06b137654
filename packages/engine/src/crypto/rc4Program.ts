/**
 * RC4's inner loop as a WebAssembly module, put together here opcode by opcode.
 *
 * In JavaScript V8 reads each byte of the permutation after the stores before it, since they may be to the same place;
 * the processor guesses that they are not, and is wrong once in ten bytes. Here the next byte is read first and corrected
 * when it was the one that was swapped, which makes it twice as fast (bench/micro/rc4.ts).
 *
 * `crypt(from, to, i, j)` turns the bytes of its memory from `from` to `to`, a multiple of eight of them, with the
 * permutation at address 0. `i` is the index of the next byte of the permutation, a multiple of eight; `j` is RC4's. It
 * returns the new `j`. Sections and opcodes: WebAssembly Core Specification 1.0, chapter 5.
 */

const [FROM, TO, I, J, A, B, NEXT] = [0, 1, 2, 3, 4, 5, 6]

const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const tee = (local: number) => [0x22, local]
const i32 = (value: number) => [0x41, ...signed(value)]
const [ADD, AND, EQ, GE_U, SELECT] = [0x6a, 0x71, 0x46, 0x4f, 0x1b]
const [EXTEND_U, SHL_64, OR_64, XOR_64] = [0xad, 0x86, 0x84, 0x85]
const i64 = (value: number) => [0x42, ...signed(value)]
const load8 = (offset = 0) => [0x2d, 0, ...unsigned(offset)]
const store8 = (offset = 0) => [0x3a, 0, ...unsigned(offset)]
const load64 = [0x29, 0, 0]
const store64 = [0x37, 0, 0]
const asByte = [...i32(255), AND]

/** Leaves one byte of the key stream on the stack. `A` is S[I + k], and becomes S[I + k + 1]. */
function step(k: number): number[] {
  const nextIndex = [...get(I), ...i32(k + 1), ADD, ...(k === 7 ? asByte : [])]
  return [
    // j = (j + a) & 255; b = S[j]
    ...[...get(J), ...get(A), ADD, ...asByte, ...tee(J), ...load8(), ...set(B)],
    // next = S[i + k + 1], read before the stores
    ...(k === 7 ? [...nextIndex, ...load8()] : [...get(I), ...load8(k + 1)]),
    ...set(NEXT),
    // S[i + k] = b; S[j] = a
    ...[...get(I), ...get(B), ...store8(k), ...get(J), ...get(A), ...store8()],
    // S[(a + b) & 255]: stays on the stack
    ...[...get(A), ...get(B), ADD, ...asByte, ...load8()],
    // a = j == i + k + 1 ? a : next
    ...[...get(A), ...get(NEXT), ...get(J), ...nextIndex, EQ, SELECT, ...set(A)],
  ]
}

/** Eight steps; their bytes are put together and applied as one number of 64 bits. */
function eightSteps(): number[] {
  const code = [...get(FROM), ...get(FROM), ...load64]
  for (let k = 0; k < 8; k++) {
    code.push(...step(k), EXTEND_U)
    if (k > 0) code.push(...i64(k * 8), SHL_64, OR_64)
  }
  return [...code, XOR_64, ...store64]
}

/** The module, with `pages` of 64 KiB of memory. */
export function rc4Program(pages: number): Uint8Array<ArrayBuffer> {
  const [I32, FUNCTION, EMPTY, BLOCK, LOOP, BR, BR_IF, END] = [0x7f, 0x60, 0x40, 0x02, 0x03, 0x0c, 0x0d, 0x0b]
  const body = [
    ...[...get(I), ...load8(), ...set(A)],
    ...[BLOCK, EMPTY, LOOP, EMPTY, ...get(FROM), ...get(TO), GE_U, BR_IF, 1],
    ...eightSteps(),
    ...[...get(FROM), ...i32(8), ADD, ...set(FROM), ...get(I), ...i32(8), ADD, ...asByte, ...set(I), BR, 0, END, END],
    ...[...get(J), END],
  ]
  const crypt = [...vector([[3, I32]]), ...body]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[FUNCTION, ...vector([[I32], [I32], [I32], [I32]]), ...vector([[I32]])]]),
    ...section(3, [[0]]),
    ...section(5, [[1, ...unsigned(pages), ...unsigned(pages)]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('crypt'), 0, 0],
    ]),
    ...section(10, [[...unsigned(crypt.length), ...crypt]]),
  ])
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items)
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...Buffer.from(text, 'latin1')]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
