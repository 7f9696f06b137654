import type { Reader, Response } from 'mmdb-lib'
import { isV6 } from '../address/endpoint.ts'
import type { OriginDatabase } from '../session/peerOrigins.ts'
import { readDataFile, unreadableData } from './readDataFile.ts'

/** The largest databases of cities have a quarter. */
const MAX_DATABASE_BYTES = 512 * 1024 * 1024
/** Between the search tree and the data. */
const SEPARATOR_SIZE = 16

/** What a database tells of. */
export type MmdbKind = 'countries' | 'networks'

/** Words in the type of a database (`GeoLite2-Country`) that show that it tells of something else alone. */
const OTHERS: Readonly<Record<MmdbKind, { readonly not: RegExp; readonly unless: RegExp }>> = {
  countries: { not: /asn|isp|domain|connection|anonymous/i, unless: /country|city|enterprise|location/i },
  networks: { not: /country|city|domain|connection|anonymous|location/i, unless: /asn|isp|enterprise/i },
}

/**
 * Opens a MaxMind database (`.mmdb`): the path of a file, or its bytes. The reader is loaded when it is first needed.
 * @throws LibtorrentError of category `system`: the file cannot be read, is none of this format, is damaged, or tells of
 * something else
 */
export async function openMmdb(source: string | Uint8Array, kind: MmdbKind): Promise<OriginDatabase> {
  const bytes = await readDataFile(source, MAX_DATABASE_BYTES)
  const reader = await readerOf(bytes, source)
  const { databaseType } = reader.metadata
  const { not, unless } = OTHERS[kind]
  if (not.test(databaseType) && !unless.test(databaseType)) {
    throw unreadableData(`it is a database of type ${databaseType}, which does not tell of ${kind}`, source)
  }
  return {
    lookUp(address) {
      // A tree of IPv4 addresses alone would be asked with the first bits of the IPv6 one.
      if (isV6(address) && reader.metadata.ipVersion === 4) return null
      try {
        return reader.get(address)
      } catch {
        // This record is damaged. Others need not be.
        return null
      }
    },
  }
}

async function readerOf(bytes: Uint8Array, source: unknown): Promise<Reader<Response>> {
  const { Reader } = await import('mmdb-lib')
  let reader: Reader<Response>
  try {
    reader = new Reader<Response>(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (cause) {
    throw unreadableData('it is no MaxMind database (.mmdb), or it is damaged', source, cause)
  }
  const { nodeCount, recordSize, searchTreeSize, ipVersion, databaseType, binaryFormatMajorVersion } = reader.metadata
  const isSound =
    binaryFormatMajorVersion === 2 &&
    (ipVersion === 4 || ipVersion === 6) &&
    typeof databaseType === 'string' &&
    Number.isInteger(nodeCount) &&
    searchTreeSize + SEPARATOR_SIZE < bytes.length &&
    recordsAreInside(bytes, nodeCount, recordSize, bytes.length - searchTreeSize - SEPARATOR_SIZE)
  if (!isSound) throw unreadableData('it is a damaged MaxMind database, or one that is cut off', source)
  return reader
}

/** Whether every record of the search tree leads to another node, to nothing, or into the `dataSize` bytes of data. */
function recordsAreInside(bytes: Uint8Array, nodeCount: number, recordSize: number, dataSize: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const limit = nodeCount + SEPARATOR_SIZE + dataSize
  const nodeSize = recordSize / 4
  for (let node = 0, at = 0; node < nodeCount; node++, at += nodeSize) {
    let left: number
    let right: number
    if (recordSize === 32) {
      left = view.getUint32(at)
      right = view.getUint32(at + 4)
    } else if (recordSize === 28) {
      left = (view.getUint32(at) >>> 8) + ((bytes[at + 3] & 0xf0) << 20)
      right = view.getUint32(at + 3) & 0x0fff_ffff
    } else {
      left = view.getUint32(at) >>> 8
      right = view.getUint32(at + 2) & 0x00ff_ffff
    }
    if (!isInside(left, nodeCount, limit) || !isInside(right, nodeCount, limit)) return false
  }
  return true
}

function isInside(record: number, nodeCount: number, limit: number): boolean {
  // The first bytes behind the tree are the separator, which no record names.
  return record <= nodeCount || (record >= nodeCount + SEPARATOR_SIZE && record < limit)
}
