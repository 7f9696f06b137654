import { readU32, writeU32 } from '../util/bytes.ts'

/** The payload of an `lt_donthave` message (BEP 54): the sender no longer has `piece`. */
export function encodeDontHave(piece: number): Uint8Array {
  const payload = new Uint8Array(4)
  writeU32(payload, 0, piece)
  return payload
}

/** The piece, which need not exist, or null (`invalidDontHave`) when the payload is not four bytes. */
export function decodeDontHave(payload: Uint8Array): number | null {
  return payload.length === 4 ? readU32(payload, 0) : null
}
