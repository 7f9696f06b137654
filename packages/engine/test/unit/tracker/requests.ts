import type { TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import { fromHex } from '../../../src/util/bytes.ts'

export const INFO_HASH = fromHex('00017e20414263787a7e2d2e5f2a28272125ff80') as Uint8Array
export const PEER_ID = new TextEncoder().encode('-LT2100-abcdefghijkl')

/** An announce with values that can be told apart. */
export function request(changes: Partial<TrackerRequest> = {}): TrackerRequest {
  return {
    url: 'http://tracker.example/announce',
    infoHash: INFO_HASH,
    peerId: PEER_ID,
    event: 'started',
    port: 6881,
    uploaded: 1,
    downloaded: 2,
    left: 3,
    corrupt: 4,
    redundant: 5,
    key: 0xabc,
    numWant: 200,
    trackerId: '',
    ...changes,
  }
}
