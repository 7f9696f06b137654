import type { KrpcFailure } from './krpcError.ts'
import { type KrpcWriter, VERSION_SIZE } from './krpcWriter.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'
import type { NodeEntry } from './nodeEntry.ts'

/** BEP 32: no packet is larger, unless it carries an item. */
const MAX_REPLY_BYTES = 1024
/** An item (BEP 44) with its key and signature makes packets as large as a line carries in one piece. */
export const MAX_ITEM_REPLY_BYTES = 1400
/** How many times the size of a question an answer to somebody unproven may have. */
const MAX_AMPLIFICATION = 3
/** What IP and UDP add to each packet. */
const V4_HEADER = 28
const V6_HEADER = 48

/**
 * How large an answer may be. The source of a question may be forged, so that the answer goes to a victim: to one that
 * has not proven its address an answer takes three times the bytes of the question on the line, headers included.
 * "Proven" is who has answered a question of ours or has shown a token. This leaves room for eight nodes, and for as
 * many peers as fit beside four. Two things are whole or useless, and come on top: the value of an item (BEP 44) and
 * the filters of a scrape (BEP 33); what they allow is bounded by `dhtUploadRateLimit`.
 */
export function replyLimit(questionBytes: number, isV6: boolean, proven: boolean): number {
  if (proven) return MAX_REPLY_BYTES
  const header = isV6 ? V6_HEADER : V4_HEADER
  return Math.min(MAX_REPLY_BYTES, (questionBytes + header) * MAX_AMPLIFICATION - header)
}

/** Bytes of a bencoded string of `length` bytes. */
export function stringSize(length: number): number {
  return length + 1 + String(length).length
}

/** Writes the frame that all answers share. Keys of `r` are written by the caller, sorted; `id` is one of them. */
export class ReplyWriter {
  constructor(readonly out: KrpcWriter) {}

  /** Up to the open dictionary `r`. `compact`: whom it goes to, who learns thereby where we see it (BEP 42). */
  open(compact: Uint8Array): void {
    const { out } = this
    out.reset()
    out.openDict()
    out.text('ip')
    out.bytes(compact)
    out.text('r')
    out.openDict()
  }

  id(ownId: Uint8Array): void {
    this.out.text('id')
    this.out.bytes(ownId)
  }

  /** The port the question came from, for those behind a NAT (libtorrent). */
  port(port: number): void {
    this.out.text('p')
    this.out.integer(port)
  }

  nodes(key: 'nodes' | 'nodes6', nodes: readonly NodeEntry[], count: number): void {
    const { out } = this
    out.text(key)
    const size = key === 'nodes' ? NODE_ID_SIZE + 6 : NODE_ID_SIZE + 18
    out.stringHeader(size * count)
    for (let i = 0; i < count; i++) {
      out.raw(nodes[i].id)
      out.raw(nodes[i].contact.compact)
    }
  }

  /** Closes `r` and the message. */
  close(transaction: Uint8Array): void {
    const { out } = this
    out.close()
    this.finish(transaction, 'r')
  }

  /** Bytes `close` will add. */
  closingSize(transaction: Uint8Array): number {
    return 1 + 3 + stringSize(transaction.length) + VERSION_SIZE + 6 + 1
  }

  error(failure: KrpcFailure, compact: Uint8Array, transaction: Uint8Array): void {
    const { out } = this
    out.reset()
    out.openDict()
    out.text('e')
    out.openList()
    out.integer(failure.code)
    out.text(failure.message)
    out.close()
    out.text('ip')
    out.bytes(compact)
    this.finish(transaction, 'e')
  }

  private finish(transaction: Uint8Array, type: 'r' | 'e'): void {
    const { out } = this
    out.text('t')
    out.bytes(transaction)
    out.version()
    out.text('y')
    out.text(type)
    out.close()
  }
}
