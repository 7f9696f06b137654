import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import type { KrpcError, KrpcReply } from './krpcMessage.ts'
import type { KrpcWriter } from './krpcWriter.ts'
import type { NodeContact } from './nodeContact.ts'

/** After so long an answer is unlikely, and a lookup asks somebody else (libtorrent's short timeout). */
export const SHORT_TIMEOUT: Millis = 1000
/** After so long the request has failed. */
export const FULL_TIMEOUT: Millis = 15_000
/** Requests under way at once. */
const MAX_REQUESTS = 4096

/** A question we ask. The keys of its arguments are written sorted, those before and those after `id` apart. */
export interface QueryBody {
  readonly method: string
  writeEarlyArgs?(writer: KrpcWriter): void
  writeLateArgs?(writer: KrpcWriter): void
}

/** Who asked. Exactly one of `onReply` and `onFailed` is called. */
export interface RequestObserver {
  /** The node answered; views of the packet. `id` is the one it answered with. */
  onReply(reply: KrpcReply, id: Uint8Array, rtt: Millis): void
  /** No answer within a second; it may still come. */
  onSlow(): void
  /** No answer, an error, or an answer without an id that may be the node's. `error`: what it said, if anything. */
  onFailed(error: KrpcError | null): void
}

export interface RequestManagerHost {
  readonly random: Random
  readonly ownId: Uint8Array
  readonly readOnly: boolean
  readonly writer: KrpcWriter
  now(): Millis
  /** Sends what is in `writer`. False when that is not possible. */
  sendPacket(contact: NodeContact): boolean
  /** Something has to be looked at by then. */
  wakeAt(time: Millis): void
  /** A node we knew as `id` did not answer. */
  nodeFailed(id: Uint8Array, contact: NodeContact): void
}

class PendingRequest {
  isOpen = true

  constructor(
    readonly transaction: number,
    readonly contact: NodeContact,
    /** The id we know the node by, or null. */
    readonly id: Uint8Array | null,
    readonly sentAt: Millis,
    readonly observer: RequestObserver,
  ) {}
}

/**
 * Our questions under way (libtorrent's `rpc_manager`). An answer counts only when it carries the transaction id and
 * comes from the very contact that was asked. Both timeouts are the same for all, so that requests time out in the
 * order they were sent: one queue, no timer for each.
 */
export class RequestManager {
  private readonly pending = new Map<number, PendingRequest>()
  /** In the order sent; closed ones stay until their turn. */
  private readonly queue: PendingRequest[] = []
  private head = 0
  private slowHead = 0

  constructor(private readonly host: RequestManagerHost) {}

  /** Requests that wait for an answer. */
  get size(): number {
    return this.pending.size
  }

  /** Asks `contact`, known as `id`. False when it could not be sent; the observer is then not called. */
  send(body: QueryBody, contact: NodeContact, id: Uint8Array | null, observer: RequestObserver): boolean {
    if (this.pending.size >= MAX_REQUESTS) return false
    const transaction = this.newTransaction()
    this.writeQuery(body, transaction)
    return this.launch(transaction, contact, id, observer)
  }

  /**
   * Asks with a message of the caller's own, whose `t` will be the two bytes `compose` is given. It must write the
   * whole packet.
   */
  sendRaw(compose: (transaction: Uint8Array) => void, contact: NodeContact, observer: RequestObserver): boolean {
    if (this.pending.size >= MAX_REQUESTS) return false
    const transaction = this.newTransaction()
    compose(Uint8Array.of(transaction >>> 8, transaction))
    return this.launch(transaction, contact, null, observer)
  }

  /**
   * The request a message from a compact contact answers, which is over by that; null when it answers none. The caller
   * tells the observer.
   */
  take(transaction: Uint8Array, compact: Uint8Array): PendingRequest | null {
    if (transaction.length !== 2) return null
    const request = this.pending.get((transaction[0] << 8) | transaction[1])
    if (request === undefined || !request.contact.equals(compact)) return null
    this.close(request)
    return request
  }

  /** A message to the contact came back as undeliverable: what was asked there has failed. */
  unreachable(contact: NodeContact): void {
    for (const request of [...this.pending.values()]) {
      if (request.isOpen && request.contact.equals(contact.compact)) this.fail(request)
    }
  }

  /** Tells observers of what has timed out. */
  tick(now: Millis): void {
    const { queue } = this
    while (this.slowHead < queue.length && queue[this.slowHead].sentAt + SHORT_TIMEOUT <= now) {
      const request = queue[this.slowHead++]
      if (request.isOpen) request.observer.onSlow()
    }
    while (this.head < queue.length && queue[this.head].sentAt + FULL_TIMEOUT <= now) {
      const request = queue[this.head++]
      if (request.isOpen) this.fail(request)
    }
    if (this.slowHead < this.head) this.slowHead = this.head
    if (this.head >= 256 && this.head * 2 >= queue.length) {
      queue.splice(0, this.head)
      this.slowHead -= this.head
      this.head = 0
    }
  }

  /** When `tick` has something to do next; infinite when nothing waits. */
  get nextDeadline(): Millis {
    const { queue } = this
    while (this.slowHead < queue.length && !queue[this.slowHead].isOpen) this.slowHead++
    while (this.head < queue.length && !queue[this.head].isOpen) this.head++
    if (this.head >= queue.length) return Number.POSITIVE_INFINITY
    const full = queue[this.head].sentAt + FULL_TIMEOUT
    return this.slowHead < queue.length ? Math.min(full, queue[this.slowHead].sentAt + SHORT_TIMEOUT) : full
  }

  /** Ends everything: what waits for an answer has failed. */
  failAll(): void {
    for (const request of [...this.pending.values()]) {
      this.close(request)
      request.observer.onFailed(null)
    }
  }

  private launch(transaction: number, contact: NodeContact, id: Uint8Array | null, observer: RequestObserver): boolean {
    if (!this.host.sendPacket(contact)) return false
    const now = this.host.now()
    const request = new PendingRequest(transaction, contact, id, now, observer)
    this.pending.set(transaction, request)
    this.queue.push(request)
    this.host.wakeAt(now + SHORT_TIMEOUT)
    return true
  }

  private fail(request: PendingRequest): void {
    this.close(request)
    if (request.id !== null) this.host.nodeFailed(request.id, request.contact)
    request.observer.onFailed(null)
  }

  private close(request: PendingRequest): void {
    request.isOpen = false
    this.pending.delete(request.transaction)
  }

  private newTransaction(): number {
    let transaction = this.host.random.below(0x1_0000)
    while (this.pending.has(transaction)) transaction = (transaction + 1) & 0xffff
    return transaction
  }

  private writeQuery(body: QueryBody, transaction: number): void {
    const { writer, ownId, readOnly } = this.host
    writer.reset()
    writer.openDict()
    writer.text('a')
    writer.openDict()
    body.writeEarlyArgs?.(writer)
    writer.text('id')
    writer.bytes(ownId)
    body.writeLateArgs?.(writer)
    writer.close()
    writer.text('q')
    writer.text(body.method)
    if (readOnly) {
      writer.text('ro')
      writer.integer(1)
    }
    writer.text('t')
    writer.stringHeader(2)
    writer.byte(transaction >>> 8)
    writer.byte(transaction)
    writer.version()
    writer.text('y')
    writer.text('q')
    writer.close()
  }
}
