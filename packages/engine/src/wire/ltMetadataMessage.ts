import { readU32, writeU32 } from '../util/bytes.ts'

/** A message of a whole request, and then some; a longer one is an attack (libtorrent's 500 KiB). */
export const MAX_LT_METADATA_MESSAGE_SIZE = 500 * 1024
/** The info section is asked for in parts of which it has this many, since who asks may not know its size. */
export const LT_METADATA_UNITS = 256

const DATA_HEADER_SIZE = 9
const TYPES = { request: 0, data: 1, dontHave: 2 } as const
const MAX_INT32 = 0x7fffffff

/** A range of 256ths of the info section: `start` from 0, `count` from 1, together no more than 256. */
export interface MetadataUnits {
  readonly start: number
  readonly count: number
}

/** A range of bytes of the info section. */
export interface MetadataBytes {
  readonly offset: number
  readonly length: number
}

/** A message of `LT_metadata`, the metadata extension before BEP 9 (manual 0.15.5, "metadata from peers"). */
export type LtMetadataMessage =
  | ({ readonly type: 'request' } & MetadataUnits)
  /** `totalSize` is of the whole info section, above 0; `data` is a view and lies within it. */
  | { readonly type: 'data'; readonly totalSize: number; readonly offset: number; readonly data: Uint8Array }
  | { readonly type: 'dontHave' }

/** What is wrong with a payload: the code to close the connection with. */
export type LtMetadataFault =
  | 'metadataTooLarge'
  | 'invalidMetadataRequest'
  | 'invalidMetadataSize'
  | 'invalidMetadataOffset'
  | 'invalidMetadataMessage'

export function encodeLtMetadata(message: LtMetadataMessage): Uint8Array {
  if (message.type === 'dontHave') return Uint8Array.of(TYPES.dontHave)
  if (message.type === 'request') return Uint8Array.of(TYPES.request, message.start, message.count - 1)
  const payload = new Uint8Array(DATA_HEADER_SIZE + message.data.length)
  payload[0] = TYPES.data
  writeU32(payload, 1, message.totalSize)
  writeU32(payload, 5, message.offset)
  payload.set(message.data, DATA_HEADER_SIZE)
  return payload
}

/** Reads a payload. `maxSize`: setting `max_metadata_size`; larger info sections are not believed. */
export function decodeLtMetadata(payload: Uint8Array, maxSize: number): LtMetadataMessage | LtMetadataFault {
  if (payload.length > MAX_LT_METADATA_MESSAGE_SIZE) return 'metadataTooLarge'
  switch (payload[0]) {
    case TYPES.request:
      return decodeRequest(payload)
    case TYPES.data:
      return decodeData(payload, maxSize)
    case TYPES.dontHave:
      return { type: 'dontHave' }
    default:
      return 'invalidMetadataMessage'
  }
}

function decodeRequest(payload: Uint8Array): LtMetadataMessage | LtMetadataFault {
  if (payload.length !== 3) return 'invalidMetadataRequest'
  const start = payload[1]
  const count = payload[2] + 1
  return start + count > LT_METADATA_UNITS ? 'invalidMetadataRequest' : { type: 'request', start, count }
}

function decodeData(payload: Uint8Array, maxSize: number): LtMetadataMessage | LtMetadataFault {
  if (payload.length < DATA_HEADER_SIZE) return 'invalidMetadataMessage'
  const totalSize = readU32(payload, 1)
  const offset = readU32(payload, 5)
  const data = payload.subarray(DATA_HEADER_SIZE)
  if (totalSize === 0 || totalSize > MAX_INT32) return 'invalidMetadataSize'
  if (totalSize > maxSize) return 'metadataTooLarge'
  if (offset > totalSize) return 'invalidMetadataOffset'
  if (offset + data.length > totalSize) return 'invalidMetadataMessage'
  return { type: 'data', totalSize, offset, data }
}

/** The bytes that `units` of an info section of `totalSize` bytes are: what libtorrent sends for them. */
export function bytesOfUnits({ start, count }: MetadataUnits, totalSize: number): MetadataBytes {
  const offset = Math.ceil((start * totalSize) / LT_METADATA_UNITS)
  return { offset, length: Math.ceil(((start + count) * totalSize) / LT_METADATA_UNITS) - offset }
}

/** The fewest units in which the `length` bytes from `offset` are; `length` above 0. */
export function unitsOfBytes({ offset, length }: MetadataBytes, totalSize: number): MetadataUnits {
  const start = Math.min(LT_METADATA_UNITS - 1, Math.floor((offset * LT_METADATA_UNITS) / totalSize))
  const end = Math.min(LT_METADATA_UNITS, Math.ceil(((offset + length) * LT_METADATA_UNITS) / totalSize))
  return { start, count: Math.max(1, end - start) }
}
