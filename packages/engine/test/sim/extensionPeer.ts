import type { HostOptions } from '../../sim/simHost.ts'
import type { SimPeer, SimPeerConnection, SimPeerOptions } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import type { TestTorrent } from '../../sim/testTorrent.ts'
import { bdecode } from '../../src/bencode/bdecode.ts'
import { type ExtensionHandshake, encodeExtensionHandshake } from '../../src/wire/extensionHandshake.ts'
import {
  decodeLtMetadata,
  encodeLtMetadata,
  type LtMetadataMessage,
  type MetadataUnits,
} from '../../src/wire/ltMetadataMessage.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import {
  decodeUtMetadata,
  encodeUtMetadata,
  METADATA_PIECE_SIZE,
  type UtMetadataMessage,
} from '../../src/wire/utMetadataMessage.ts'

type PeerOptions = Partial<SimPeerOptions & HostOptions>

/** Sends a scripted peer's extension handshake (BEP 10). */
export function sendExtensionHandshake(connection: SimPeerConnection, handshake: ExtensionHandshake): void {
  connection.send((to) => to.extended(0, encodeExtensionHandshake(handshake)))
}

/** The id under which the other side of `connection` wants messages of `name`: 0 while it has not said. */
export function theirId(connection: SimPeerConnection, name: string): number {
  for (const message of connection.received('extended')) {
    if (message.body[0] !== 0) continue
    const decoded = bdecode(message.body.subarray(1))
    const id = decoded.ok && decoded.root.type === 'dict' ? decoded.root.getDict('m')?.getInt(name) : undefined
    if (id) return id
  }
  return 0
}

/** The id under which a metadata peer wants messages of `ut_metadata`. */
export const OUR_METADATA_ID = 17

export interface MetadataPeerOptions extends PeerOptions {
  /** The `metadata_size` it claims; 0: says nothing. Default: that of the torrent. */
  readonly claims?: number
  /** What it answers to a request. Default: the piece. Null: nothing. */
  readonly answers?: (piece: number) => UtMetadataMessage | null
}

/** A scripted peer that speaks `ut_metadata` (BEP 9). */
export function metadataPeer(
  world: SimWorld,
  name: string,
  torrent: TestTorrent,
  options: MetadataPeerOptions = {},
): SimPeer {
  const { claims = torrent.infoSection.length, answers = metadataAnswers(torrent) } = options
  const peer = world.peer(name, {
    torrent,
    has: 'all',
    serves: true,
    reserved: encodeReserved({ supportsFast: true, supportsExtensions: true }),
    ...options,
  })
  peer.onMessage = ({ name: kind, body }, connection) => {
    if (kind !== 'extended') return
    if (body[0] === 0) {
      const messages = new Map([['ut_metadata', OUR_METADATA_ID]])
      sendExtensionHandshake(connection, { messages, metadataSize: claims || undefined })
    } else if (body[0] === OUR_METADATA_ID) {
      const message = decodeUtMetadata(body.subarray(1))
      if (typeof message === 'string' || message.type !== 'request') return
      const answer = answers(message.piece)
      if (answer !== null) sendMetadata(connection, answer)
    }
  }
  return peer
}

/** Answers with the torrent's info section. */
export function metadataAnswers(torrent: TestTorrent): (piece: number) => UtMetadataMessage {
  const totalSize = torrent.infoSection.length
  return (piece) => {
    const data = torrent.infoSection.subarray(piece * METADATA_PIECE_SIZE, (piece + 1) * METADATA_PIECE_SIZE)
    return { type: 'data', piece, totalSize, data }
  }
}

export function sendMetadata(connection: SimPeerConnection, message: UtMetadataMessage): void {
  connection.send((to) => to.extended(theirId(connection, 'ut_metadata'), encodeUtMetadata(message)))
}

/** The `ut_metadata` messages a metadata peer received, with their times. */
export function metadataMessages(
  connection: SimPeerConnection,
): { readonly time: number; readonly message: UtMetadataMessage }[] {
  return connection.received('extended').flatMap(({ body, time }) => {
    if (body[0] !== OUR_METADATA_ID) return []
    const message = decodeUtMetadata(body.subarray(1))
    return typeof message === 'string' ? [] : [{ time, message }]
  })
}

/** When it was asked for metadata, whole seconds. */
export function metadataRequests(peer: SimPeer): number[] {
  return peer.connections
    .flatMap(metadataMessages)
    .flatMap(({ time, message }) => (message.type === 'request' ? [Math.floor(time / 1000)] : []))
}

/** The id under which a peer of the older extension wants messages of `LT_metadata`. */
export const OUR_LT_METADATA_ID = 23

export interface LtMetadataPeerOptions extends PeerOptions {
  /** What it answers to a request. Default: the bytes, as libtorrent sends them. Null: nothing. */
  readonly answers?: (units: MetadataUnits) => LtMetadataMessage | null
  /** What it is, if not a well-behaved peer: the payload of an answer as it is. */
  readonly payloads?: (units: MetadataUnits) => Uint8Array
}

/** A scripted peer that speaks `LT_metadata` and not `ut_metadata`. */
export function ltMetadataPeer(
  world: SimWorld,
  name: string,
  torrent: TestTorrent,
  options: LtMetadataPeerOptions = {},
): SimPeer {
  const { answers = ltMetadataAnswers(torrent), payloads } = options
  const peer = world.peer(name, {
    torrent,
    has: 'all',
    serves: true,
    reserved: encodeReserved({ supportsFast: true, supportsExtensions: true }),
    ...options,
  })
  peer.onMessage = ({ name: kind, body }, connection) => {
    if (kind !== 'extended') return
    if (body[0] === 0) {
      sendExtensionHandshake(connection, { messages: new Map([['LT_metadata', OUR_LT_METADATA_ID]]) })
    } else if (body[0] === OUR_LT_METADATA_ID) {
      const message = decodeLtMetadata(body.subarray(1), 2 ** 30)
      if (typeof message === 'string' || message.type !== 'request') return
      const answer = payloads === undefined ? answers(message) : null
      if (payloads !== undefined) sendLtMetadata(connection, payloads(message))
      else if (answer !== null) sendLtMetadata(connection, encodeLtMetadata(answer))
    }
  }
  return peer
}

/** Answers with the torrent's info section, by the formula of libtorrent 1.0. */
export function ltMetadataAnswers(torrent: TestTorrent): (units: MetadataUnits) => LtMetadataMessage {
  const { infoSection } = torrent
  const at = (units: number) => Math.floor((units * infoSection.length + 255) / 256)
  return ({ start, count }) => {
    const offset = at(start)
    const data = infoSection.subarray(offset, at(start + count))
    return { type: 'data', totalSize: infoSection.length, offset, data }
  }
}

export function sendLtMetadata(connection: SimPeerConnection, payload: Uint8Array): void {
  connection.send((to) => to.extended(theirId(connection, 'LT_metadata'), payload))
}

/** The `LT_metadata` messages such a peer received, with their times. */
export function ltMetadataMessages(peer: SimPeer): { readonly time: number; readonly message: LtMetadataMessage }[] {
  return peer.connections.flatMap((connection) =>
    connection.received('extended').flatMap(({ body, time }) => {
      if (body[0] !== OUR_LT_METADATA_ID) return []
      const message = decodeLtMetadata(body.subarray(1), 2 ** 30)
      return typeof message === 'string' ? [] : [{ time, message }]
    }),
  )
}

/** A scripted peer that says in its handshake which of `messages` it speaks, and whatever else `handshake` holds. */
export function extensionPeer(
  world: SimWorld,
  name: string,
  torrent: TestTorrent,
  handshake: ExtensionHandshake,
  options: PeerOptions = {},
): SimPeer {
  const peer = world.peer(name, {
    torrent,
    has: 'none',
    reserved: encodeReserved({ supportsFast: true, supportsExtensions: true }),
    ...options,
  })
  peer.onMessage = ({ name: kind, body }, connection) => {
    if (kind === 'extended' && body[0] === 0) sendExtensionHandshake(connection, handshake)
  }
  return peer
}
