import type { KrpcWriter } from './krpcWriter.ts'
import type { NodeContact } from './nodeContact.ts'
import { randomIdWithPrefix } from './nodeDistance.ts'
import { Traversal } from './traversal.ts'
import type { TraversalHost } from './traversalHost.ts'

/** How much of our own id is asked for: its end is random, so that nobody takes it for the id of a node. */
const OWN_BITS = 96

export interface BootstrapHandler {
  readonly ownId: Uint8Array
  /** Ask for nodes of both address families: another node of ours has few (BEP 32). */
  readonly wantsBoth: boolean
  /** The lookup is over. `left`: nodes it heard of and did not ask; `answers`: how many it had. */
  onEnd(left: readonly NodeContact[], answers: number): void
}

/** Looks for the nodes closest to ourselves, and thereby fills the table: how a node joins the network (BEP 5). */
export class BootstrapLookup extends Traversal {
  readonly method = 'get_peers'
  readonly type = 'bootstrap'

  constructor(
    host: TraversalHost,
    private readonly handler: BootstrapHandler,
  ) {
    super(host, randomIdWithPrefix(handler.ownId, OWN_BITS, host.random))
  }

  /** Routers want to know whether they are needed, or merely met on the way (libtorrent). */
  override writeEarlyArgs(writer: KrpcWriter): void {
    if (!this.asking.isInitial) return
    writer.text('bs')
    writer.integer(1)
  }

  override writeLateArgs(writer: KrpcWriter): void {
    writer.text('info_hash')
    writer.bytes(this.target)
    if (!this.handler.wantsBoth) return
    writer.text('want')
    writer.openList()
    writer.text('n4')
    writer.text('n6')
    writer.close()
  }

  protected override onEnd(): void {
    const left = this.candidates.filter((c) => c.state === 'new').map((c) => c.contact)
    this.handler.onEnd(left, this.responses)
  }
}
