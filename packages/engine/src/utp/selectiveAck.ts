import { Extension } from './utpHeader.ts'

/** Most bytes of a selective ack we send: it then names 1,024 packets behind the first that is missing. */
const MOST_SACK_BYTES = 128

/** What `writeSack` needs to know of the packets that came too early. */
export interface HeldPackets {
  /** Packets from the first missing one up to the last that is held, both counted. 0: none is held. */
  readonly span: number
  /** Whether the packet so many behind the first missing one is held. */
  holds(offset: number): boolean
}

/**
 * Appends a selective ack (BEP 29) to a header without extensions, at `at`. Bit n stands for the packet n + 2 behind the
 * one acknowledged: n + 1 behind the first missing one. Returns the bytes written, extension header counted.
 */
export function writeSack(packet: Uint8Array, at: number, held: HeldPackets): number {
  const bits = held.span - 1
  if (bits <= 0) return 0
  // BEP 29: at least 32 bits, in multiples of 32.
  const bytes = Math.min(MOST_SACK_BYTES, Math.ceil(bits / 32) * 4)
  packet[1] = Extension.selectiveAck
  packet[at] = Extension.none
  packet[at + 1] = bytes
  for (let i = 0; i < bytes; i++) {
    let byte = 0
    for (let bit = 0; bit < 8; bit++) if (held.holds(i * 8 + bit + 1)) byte |= 1 << bit
    packet[at + 2 + i] = byte
  }
  return 2 + bytes
}

/** Room that `writeSack` may need. */
export const SACK_EXTENSION_BYTES = 2 + MOST_SACK_BYTES

/** Whether that bit of a selective ack whose bits begin at `at` is set. */
export function hasSackBit(packet: Uint8Array, at: number, bit: number): boolean {
  return ((packet[at + (bit >> 3)] >> (bit & 7)) & 1) !== 0
}
