import { INPUT_BYTES, OUTPUT_BYTES, type Rc4Workbench, rc4Workbench } from './rc4Workbench.ts'

/** Below this bringing the permutation to the workbench costs more than it saves. */
const WORTHWHILE_BYTES = 64

/**
 * RC4, as MSE uses it. One object is one direction of one connection: every byte given to it moves it on.
 * Encrypting and decrypting are the same.
 */
export class Rc4 {
  private readonly permutation = new Uint8Array(256)
  /** Index of the byte of the permutation that is used next. */
  private i = 1
  private j = 0

  /**
   * @param key 1 to 256 bytes
   * @param discard bytes of the key stream that are thrown away, since the first ones tell of the key
   */
  constructor(
    key: Uint8Array,
    discard = 0,
    private readonly bench: Rc4Workbench = rc4Workbench(),
  ) {
    const s = this.permutation
    for (let i = 0; i < 256; i++) s[i] = i
    for (let i = 0, j = 0; i < 256; i++) {
      const a = s[i]
      j = (j + a + key[i % key.length]) & 255
      s[i] = s[j]
      s[j] = a
    }
    this.turnHere(new Uint8Array(discard), 0, discard)
  }

  /** Turns `bytes` where they lie. For few: handshakes. */
  turn(bytes: Uint8Array): void {
    this.turnHere(bytes, 0, bytes.length)
  }

  /** Writes what `bytes` become to `out` from `at` on; `bytes` stay as they are. */
  turnInto(bytes: Uint8Array, out: Uint8Array, at: number): void {
    const { memory, outputAt } = this.bench
    for (let done = 0; done < bytes.length; done += OUTPUT_BYTES) {
      const part = done === 0 && bytes.length <= OUTPUT_BYTES ? bytes : bytes.subarray(done, done + OUTPUT_BYTES)
      if (part.length < WORTHWHILE_BYTES) {
        out.set(part, at + done)
        this.turnHere(out, at + done, at + done + part.length)
        continue
      }
      memory.set(part, outputAt)
      this.turnOnBench(outputAt, part.length)
      out.set(memory.subarray(outputAt, outputAt + part.length), at + done)
    }
  }

  /**
   * What `bytes` become, as a view that is valid until this is called again for any connection; `bytes` stay as they
   * are. At most `INPUT_BYTES`.
   */
  turnedView(bytes: Uint8Array): Uint8Array {
    const { memory, inputAt } = this.bench
    if (bytes.length > INPUT_BYTES) throw new RangeError(`at most ${INPUT_BYTES} bytes at a time, not ${bytes.length}`)
    memory.set(bytes, inputAt)
    this.turnOnBench(inputAt, bytes.length)
    return memory.subarray(inputAt, inputAt + bytes.length)
  }

  private turnOnBench(at: number, length: number): void {
    const { memory, state, crypt } = this.bench
    if (crypt === null || length < WORTHWHILE_BYTES) return this.turnHere(memory, at, at + length)
    // `crypt` begins where `i` is a multiple of eight, and takes eight bytes at a time.
    const begin = at + (-this.i & 7)
    const end = begin + ((at + length - begin) & ~7)
    this.turnHere(memory, at, begin)
    state.set(this.permutation)
    this.j = crypt(begin, end, this.i, this.j)
    this.i = (this.i + end - begin) & 255
    this.permutation.set(state)
    this.turnHere(memory, end, at + length)
  }

  private turnHere(bytes: Uint8Array, from: number, to: number): void {
    const s = this.permutation
    let { i, j } = this
    for (let at = from; at < to; at++) {
      const a = s[i]
      j = (j + a) & 255
      const b = s[j]
      s[i] = b
      s[j] = a
      bytes[at] ^= s[(a + b) & 255]
      i = (i + 1) & 255
    }
    this.i = i
    this.j = j
  }
}
