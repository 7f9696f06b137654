import type { Rc4 } from '../../packages/engine/src/crypto/rc4.ts'
import { REPEATED_BLOCK } from './repeatedBlock.ts'

const HEADER_BYTES = 13
const MESSAGE_BYTES = HEADER_BYTES + REPEATED_BLOCK.length
const PIECE = 7
const INDEX_AT = 5

/**
 * The answers to the next `count` requests, encrypted while nobody waits. What is asked for is not known yet: piece and
 * position are zero, and are put in by XOR when they are, which is the same after RC4 as before.
 */
export class PreparedBlocks {
  private readonly bytes: Buffer
  private taken = 0

  constructor(
    cipher: Rc4,
    readonly count: number,
  ) {
    const message = Buffer.alloc(MESSAGE_BYTES)
    message.writeUInt32BE(MESSAGE_BYTES - 4)
    message[4] = PIECE
    message.set(REPEATED_BLOCK, HEADER_BYTES)
    this.bytes = Buffer.allocUnsafeSlow(count * MESSAGE_BYTES)
    for (let at = 0; at < this.bytes.length; at += MESSAGE_BYTES) cipher.turnInto(message, this.bytes, at)
  }

  /** @param where piece and position of each block, as they are in the requests: 8 bytes each; a view is returned */
  answer(where: readonly Uint8Array[]): Buffer {
    const begin = this.taken * MESSAGE_BYTES
    this.taken += where.length
    if (this.taken > this.count) throw new Error('more blocks were asked for than the torrent has')
    for (const [n, position] of where.entries()) {
      const at = begin + n * MESSAGE_BYTES + INDEX_AT
      for (let i = 0; i < position.length; i++) this.bytes[at + i] = Number(this.bytes[at + i]) ^ Number(position[i])
    }
    return this.bytes.subarray(begin, this.taken * MESSAGE_BYTES)
  }
}
