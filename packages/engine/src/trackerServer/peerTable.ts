import type { COMPACT_V4_SIZE, COMPACT_V6_SIZE } from '../address/compactEndpoint.ts'
import type { HalfSipHash } from '../crypto/halfSipHash.ts'
import { readU32, writeU32 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { AgedKeys, grown } from './agedKeys.ts'

export const PEER_ID_SIZE = 20
const SWARM_SIZE = 4

type CompactSize = typeof COMPACT_V4_SIZE | typeof COMPACT_V6_SIZE

/**
 * The peers of one address family, of all swarms: a slot each, with what the tracker knows of it in columns. A peer is
 * its swarm and endpoint; what it calls itself does not matter.
 */
export class PeerTable {
  readonly keys: AgedKeys
  /** Those of them that are seeds. */
  seeds = 0
  /** Which of the swarm's lists a peer is in, and where there. */
  list = new Uint8Array(0)
  position = new Int32Array(0)
  /** What the peer proves itself with (`key` of an announce). */
  secrets = new Uint32Array(0)
  private peerIds = new Uint8Array(0)
  private readonly scratch: Uint8Array

  constructor(
    readonly compactSize: CompactSize,
    limit: number,
    hash: HalfSipHash,
  ) {
    this.keys = new AgedKeys(SWARM_SIZE + compactSize, limit, hash)
    this.scratch = new Uint8Array(SWARM_SIZE + compactSize)
  }

  /** The slot of a peer, or -1. `endpoint` begins with its compact form. */
  find(swarm: number, endpoint: Uint8Array): number {
    return this.keys.find(this.key(swarm, endpoint), 0)
  }

  /** The slot of a peer that is not there yet; -1 when the table is full. */
  add(swarm: number, endpoint: Uint8Array, now: Millis): number {
    const slot = this.keys.add(this.key(swarm, endpoint), 0, now)
    if (this.keys.capacity !== this.list.length) this.grow(this.keys.capacity)
    return slot
  }

  /** Number of the swarm a peer is in. */
  swarmOf(slot: number): number {
    return readU32(this.keys.keys, slot * this.keys.keySize)
  }

  setPeerId(slot: number, peerId: Uint8Array): void {
    const start = slot * PEER_ID_SIZE
    for (let i = 0; i < PEER_ID_SIZE; i++) this.peerIds[start + i] = peerId[i]
  }

  /** A view. */
  peerId(slot: number): Uint8Array {
    return this.peerIds.subarray(slot * PEER_ID_SIZE, (slot + 1) * PEER_ID_SIZE)
  }

  hasPeerId(slot: number, peerId: Uint8Array): boolean {
    const start = slot * PEER_ID_SIZE
    // The end first: the beginning is the same for all who use one program.
    for (let i = PEER_ID_SIZE - 1; i >= 0; i--) if (this.peerIds[start + i] !== peerId[i]) return false
    return true
  }

  /** Writes the compact endpoint of `slot` to `out`. */
  writeEndpoint(slot: number, out: Uint8Array, at: number): void {
    const { keys } = this.keys
    const start = slot * this.keys.keySize + SWARM_SIZE
    for (let i = 0; i < this.compactSize; i++) out[at + i] = keys[start + i]
  }

  private key(swarm: number, endpoint: Uint8Array): Uint8Array {
    writeU32(this.scratch, 0, swarm)
    for (let i = 0; i < this.compactSize; i++) this.scratch[SWARM_SIZE + i] = endpoint[i]
    return this.scratch
  }

  private grow(capacity: number): void {
    this.list = grown(this.list, new Uint8Array(capacity))
    this.position = grown(this.position, new Int32Array(capacity))
    this.secrets = grown(this.secrets, new Uint32Array(capacity))
    this.peerIds = grown(this.peerIds, new Uint8Array(capacity * PEER_ID_SIZE))
  }
}
