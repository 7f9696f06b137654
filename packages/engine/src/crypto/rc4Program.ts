/**
 * RC4's inner loop as a WebAssembly module, put together here opcode by opcode.
 *
 * In JavaScript V8 reads each byte of the permutation after the stores before it, since they may be to the same place;
 * the processor guesses that they are not, and is wrong once in ten bytes. Here bytes are read two steps before they are
 * used, and what was read is corrected when it was swapped meanwhile: a jump that is taken twice in 256 bytes, so that no
 * step waits for the stores of the one before. That is more than twice as fast; three steps are slower
 * (bench/micro/rc4.ts).
 *
 * `crypt(from, to, i, j)` turns the bytes of its memory from `from` to `to`, a multiple of eight of them, with the
 * permutation at address 0. `i` is the index of the next byte of the permutation, a multiple of eight; `j` is RC4's. It
 * returns the new `j`. Sections and opcodes: WebAssembly Core Specification 1.0, chapter 5.
 */

/** `A`, `NEXT` and `AFTER` are S[i], S[i + 1] and S[i + 2] at each step; `B` is S[j]. */
const [FROM, TO, I, J, A, B, NEXT, AFTER] = [0, 1, 2, 3, 4, 5, 6, 7]
const ADDED_LOCALS = 4

const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const tee = (local: number) => [0x22, local]
const i32 = (value: number) => [0x41, ...signed(value)]
const [ADD, SUB, AND, EQ, LT_U, GE_U] = [0x6a, 0x6b, 0x71, 0x46, 0x49, 0x4f]
const [SHL_64, OR_64, XOR_64] = [0x86, 0x84, 0x85]
const i64 = (value: number) => [0x42, ...signed(value)]
const load8 = (offset = 0) => [0x2d, 0, ...unsigned(offset)]
const load8As64 = [0x31, 0, 0]
const store8 = (offset = 0) => [0x3a, 0, ...unsigned(offset)]
const load64 = [0x29, 0, 0]
const store64 = [0x37, 0, 0]
const asByte = [...i32(255), AND]
const EMPTY = 0x40
const [BLOCK, LOOP, IF, ELSE, END, BR, BR_IF] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d]

/** Steps `crypt` takes at a time. `I` is the index of the first, and never wraps between them. */
const STEPS = 8

const indexPlus = (k: number) => [...get(I), ...i32(k), ADD, ...(k < STEPS ? [] : asByte)]
const loadAhead = (k: number) => (k < STEPS ? [...get(I), ...load8(k)] : [...indexPlus(k), ...load8()])

/** The step whose index is `I` + `k`. Leaves its byte of the key stream on the stack, as 64 bits. */
function step(k: number): number[] {
  return [
    // j = (j + a) & 255; b = S[j]
    ...[...get(J), ...get(A), ADD, ...asByte, ...tee(J), ...load8(), ...set(B)],
    // after = S[i + 2], read before the stores
    ...[...loadAhead(k + 2), ...set(AFTER)],
    // S[i] = b; S[j] = a
    ...[...get(I), ...get(B), ...store8(k), ...get(J), ...get(A), ...store8()],
    // S[(a + b) & 255]: stays on the stack
    ...[...get(A), ...get(B), ADD, ...asByte, ...load8As64],
    // if (((j - i - 1) & 255) < 2) j == i + 1 ? (next = a) : (after = a)
    ...[...get(J), ...indexPlus(k + 1), SUB, ...asByte, ...i32(2), LT_U, IF, EMPTY],
    ...[...get(J), ...indexPlus(k + 1), EQ, IF, EMPTY],
    ...[...get(A), ...set(NEXT), ELSE, ...get(A), ...set(AFTER), END, END],
    // a = next; next = after
    ...[...get(NEXT), ...set(A), ...get(AFTER), ...set(NEXT)],
  ]
}

/** Their bytes are put together and applied as one number of 64 bits. */
function steps(): number[] {
  const code = [...get(FROM), ...get(FROM), ...load64]
  for (let k = 0; k < STEPS; k++) {
    code.push(...step(k))
    if (k > 0) code.push(...i64(k * 8), SHL_64, OR_64)
  }
  return [...code, XOR_64, ...store64]
}

/** The module, with `pages` of 64 KiB of memory. */
export function rc4Program(pages: number): Uint8Array<ArrayBuffer> {
  const [I32, FUNCTION] = [0x7f, 0x60]
  const body = [
    ...[...get(I), ...load8(), ...set(A), ...get(I), ...load8(1), ...set(NEXT)],
    ...[BLOCK, EMPTY, LOOP, EMPTY, ...get(FROM), ...get(TO), GE_U, BR_IF, 1],
    ...steps(),
    ...[...get(FROM), ...i32(STEPS), ADD, ...set(FROM), ...get(I), ...i32(STEPS), ADD, ...asByte, ...set(I)],
    ...[BR, 0, END, END, ...get(J), END],
  ]
  const crypt = [...vector([[ADDED_LOCALS, I32]]), ...body]
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
