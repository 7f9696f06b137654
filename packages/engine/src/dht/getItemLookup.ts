import type { BNode } from '../bencode/bNode.ts'
import { equalBytes } from '../util/bytes.ts'
import type { KrpcWriter } from './krpcWriter.ts'
import { immutableTarget, MAX_ITEM_BYTES, type MutableItem, mutableTarget, verifyMutableItem } from './mutableItem.ts'
import { BUCKET_SIZE } from './routingBucket.ts'
import { type Candidate, Traversal } from './traversal.ts'
import type { TraversalHost } from './traversalHost.ts'

/** Looks for an item (BEP 44), and for the nodes to put it to: those that gave a token. */
abstract class GetItemLookup extends Traversal {
  readonly method = 'get'
  readonly type = 'get'

  override writeLateArgs(writer: KrpcWriter): void {
    writer.text('target')
    writer.bytes(this.target)
  }

  protected writable(): Candidate[] {
    const nodes = this.answered(this.candidates.length).filter((c) => c.token !== null)
    return nodes.slice(0, BUCKET_SIZE)
  }
}

export interface GetImmutableHandler {
  /** Go on after the value was found, because all close nodes are wanted. */
  readonly isForPut: boolean
  /** `value`: bencoded, its hash is the target; null when nobody has it. */
  onEnd(value: Uint8Array | null, nodes: readonly Candidate[]): void
}

export class GetImmutableLookup extends GetItemLookup {
  private value: Uint8Array | null = null

  constructor(
    host: TraversalHost,
    target: Uint8Array,
    private readonly handler: GetImmutableHandler,
  ) {
    super(host, target)
  }

  protected override readAnswer(values: BNode): void {
    if (this.handler.isForPut) return
    const value = values.get('v')?.bytes
    if (value === undefined || value.length > MAX_ITEM_BYTES || !equalBytes(immutableTarget(value), this.target)) return
    this.value = value.slice()
    // Nobody can have another one.
    this.end()
  }

  protected override onEnd(): void {
    this.handler.onEnd(this.value, this.writable())
  }
}

export interface GetMutableHandler {
  /** A newer item than before was found; a still newer one may follow. */
  onItem(item: MutableItem): void
  /** All close nodes were asked. `item` is the newest, or null. */
  onEnd(item: MutableItem | null, nodes: readonly Candidate[]): void
}

export class GetMutableLookup extends GetItemLookup {
  private item: MutableItem | null = null

  constructor(
    host: TraversalHost,
    private readonly publicKey: Uint8Array,
    private readonly salt: Uint8Array,
    private readonly handler: GetMutableHandler,
  ) {
    super(host, mutableTarget(publicKey, salt))
  }

  protected override readAnswer(values: BNode): void {
    const item = this.itemIn(values)
    if (item === null) return
    this.item = item
    this.handler.onItem(item)
  }

  protected override onEnd(): void {
    this.handler.onEnd(this.item, this.writable())
  }

  /** The item of an answer when it is newer than the one we have, and signed with the key. */
  private itemIn(values: BNode): MutableItem | null {
    const value = values.get('v')?.bytes
    const key = values.getString('k')
    const signature = values.getString('sig')
    const seq = values.getBigInt('seq')
    if (value === undefined || signature === null || seq === null || seq < 0n) return null
    if (value.length > MAX_ITEM_BYTES || (key !== null && !equalBytes(key, this.publicKey))) return null
    if (this.item !== null && seq <= this.item.seq) return null
    const { publicKey, salt } = this
    const item = { value: value.slice(), publicKey, signature: signature.slice(), seq, salt }
    return verifyMutableItem(item) ? item : null
  }
}
