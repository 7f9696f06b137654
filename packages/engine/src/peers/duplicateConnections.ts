import { type Endpoint, sameEndpoint } from '../address/endpoint.ts'
import { compareBytes } from '../util/bytes.ts'

/** What deciding between two connections to one peer takes. */
export interface ConnectionEnds {
  readonly remote: Endpoint
  /** Null while connecting. */
  readonly local: Endpoint | null
  /** We opened it. */
  readonly isOutgoing: boolean
  /** Of the other side, 20 bytes; known for incoming connections, which come with their handshake. */
  readonly peerId: Uint8Array
  /** Opened at a moment that another peer arranged (BEP 55). */
  readonly isHolepunched?: boolean
}

/** `selfConnection`: the two are both ends of one connection to ourselves, and both must go. */
export type DuplicateVerdict = 'keepExisting' | 'keepNew' | 'selfConnection'

/**
 * Which of two connections to one address stays, so that the other side decides the same (libtorrent).
 * Of two in one direction the first stays. Otherwise whoever listens on the lower port keeps its outgoing one;
 * only the target ends count, since the ports connections come from are chance. Equal ports: the greater peer id keeps
 * its own; libtorrent leaves that to chance, and in half of all cases neither connection is left.
 * Where hole punching made the two, routers change ports: the id decides alone, and what does not stand yet loses.
 * `existingFailed`: the existing one is on its way out and never stays.
 */
export function resolveDuplicateConnection(
  existing: ConnectionEnds,
  added: ConnectionEnds,
  existingFailed: boolean,
  ourPeerId: Uint8Array,
): DuplicateVerdict {
  if (isOtherEnd(existing, added)) return 'selfConnection'
  if (existing.isOutgoing === added.isOutgoing) return 'keepExisting'
  if (existingFailed) return 'keepNew'
  const outgoing = added.isOutgoing ? added : existing
  const incoming = added.isOutgoing ? existing : added
  // We have sent nothing on it: the other side cannot have decided for it.
  if (outgoing.isHolepunched && outgoing.local === null) return added.isOutgoing ? 'keepExisting' : 'keepNew'
  const ourPort = incoming.local?.port ?? 0
  const theirPort = outgoing.remote.port
  const goesById = ourPort === theirPort || outgoing.isHolepunched === true
  const keepsOutgoing = goesById ? compareBytes(incoming.peerId, ourPeerId) < 0 : ourPort < theirPort
  return keepsOutgoing === added.isOutgoing ? 'keepNew' : 'keepExisting'
}

/**
 * The same question once both connections have shown the same peer id: the side with the greater id keeps the
 * connection it opened. True when the new connection is the one to close, with `duplicatePeerId`.
 */
export function closesNewOfSamePeerId(ourPeerId: Uint8Array, theirPeerId: Uint8Array, newIsOutgoing: boolean): boolean {
  const weKeepOutgoing = compareBytes(theirPeerId, ourPeerId) < 0
  return weKeepOutgoing !== newIsOutgoing
}

function isOtherEnd(a: ConnectionEnds, b: ConnectionEnds): boolean {
  return (b.local !== null && sameEndpoint(a.remote, b.local)) || (a.local !== null && sameEndpoint(a.local, b.remote))
}
