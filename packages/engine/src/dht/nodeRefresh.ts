import { forEachCompactNode } from './compactNodes.ts'
import type { NodeContact } from './nodeContact.ts'
import type { QueryBody, RequestObserver } from './requestManager.ts'

/** Nodes read from one answer. */
const MAX_NODES = 32

export interface NodeRefreshHost {
  readonly nodesKey: 'nodes' | 'nodes6'
  readonly nodeSize: number
  hearAbout(id: Uint8Array, compact: Uint8Array, source: NodeContact): NodeContact | null
}

const ping: QueryBody = { method: 'ping' }

/**
 * A question to see whether a node is alive. With a target it brings nodes close to that as well; `get_peers` is asked
 * instead of `find_node`, as libtorrent does: the answer is the same, and nobody learns that we only look around.
 */
export function refreshRequest(
  host: NodeRefreshHost,
  contact: NodeContact,
  target: Uint8Array | null,
): { readonly body: QueryBody; readonly observer: RequestObserver } {
  const body: QueryBody =
    target === null
      ? ping
      : {
          method: 'get_peers',
          writeLateArgs: (writer) => {
            writer.text('info_hash')
            writer.bytes(target)
          },
        }
  const observer: RequestObserver = {
    onReply: (reply) => {
      const nodes = reply.values!.getString(host.nodesKey)
      if (nodes === null) return
      forEachCompactNode(nodes, host.nodeSize, MAX_NODES, (id, compact) => host.hearAbout(id, compact, contact))
    },
    onSlow: () => {},
    onFailed: () => {},
  }
  return { body, observer }
}
