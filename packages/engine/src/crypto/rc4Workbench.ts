import { rc4Program } from './rc4Program.ts'

/** As much as one read from a socket brings. */
export const INPUT_BYTES = 256 * 1024
/** What is encrypted in one go. */
export const OUTPUT_BYTES = 64 * 1024

const STATE_BYTES = 256
const INPUT_AT = STATE_BYTES
const OUTPUT_AT = INPUT_AT + INPUT_BYTES
const PAGE_BYTES = 64 * 1024
const PAGES = Math.ceil((OUTPUT_AT + OUTPUT_BYTES) / PAGE_BYTES)

/** Turns the bytes of the memory from `from` to `to`; see `rc4Program`. */
type Crypt = (from: number, to: number, i: number, j: number) => number

/**
 * The memory RC4 works in: one permutation at a time, which is brought and fetched (256 bytes, for thousands of bytes of
 * content), and two areas, so that what was received is not overwritten when an answer is encrypted while it is read.
 */
export interface Rc4Workbench {
  readonly memory: Uint8Array
  /** The permutation `crypt` uses. */
  readonly state: Uint8Array
  readonly inputAt: number
  readonly outputAt: number
  /** Null where WebAssembly is turned off (`node --jitless`). */
  readonly crypt: Crypt | null
}

/** What of WebAssembly is used here; the types of Node leave it to those of browsers. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

let made: Rc4Workbench | null = null

/** The one workbench, made when the first encrypted connection is. */
export function rc4Workbench(): Rc4Workbench {
  made ??= makeRc4Workbench((globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly)
  return made
}

/** Without `webAssembly` it has no `crypt`. */
export function makeRc4Workbench(webAssembly?: WebAssemblyApi): Rc4Workbench {
  if (webAssembly === undefined) return workbench(new Uint8Array(PAGES * PAGE_BYTES), null)
  const { exports } = new webAssembly.Instance(new webAssembly.Module(rc4Program(PAGES)))
  const { buffer } = exports.memory as { readonly buffer: ArrayBuffer }
  return workbench(new Uint8Array(buffer), exports.crypt as Crypt)
}

function workbench(memory: Uint8Array, crypt: Crypt | null): Rc4Workbench {
  const state = memory.subarray(0, STATE_BYTES)
  return { memory, state, inputAt: INPUT_AT, outputAt: OUTPUT_AT, crypt }
}
