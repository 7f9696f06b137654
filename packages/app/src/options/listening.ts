import { isIP } from 'node:net'
import type { Settings } from 'libtorrent-ts'

/** Where to listen. */
export interface Listening {
  /** Null: the first free one from 6881. */
  readonly port: number | null
  /** Addresses and device names; empty: all. */
  readonly interfaces: readonly string[]
  /** An SSL torrent: `port` is for its peers. */
  readonly isSsl: boolean
}

const FIRST_PORT = 6881
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::']

/** Settings that say so; and that outgoing connections leave by the same way, if one was named. */
export function listenSettings({ port, interfaces, isSsl }: Listening): Partial<Settings> {
  const places = (interfaces.length === 0 ? EVERYWHERE : interfaces).map((each) =>
    isIP(each) === 6 ? `[${each}]` : each,
  )
  const at = (number: number, suffix = '') => places.map((place) => `${place}:${number}${suffix}`)
  return {
    // Beside the SSL sockets the DHT needs plain ones, whose port does not matter.
    listenInterfaces: (isSsl && port !== null ? [...at(port, 's'), ...at(0)] : at(port ?? FIRST_PORT)).join(','),
    ...(interfaces.length > 0 && { outgoingInterfaces: interfaces.join(',') }),
    ...(port !== null && { maxRetryPortBind: 0, listenSystemPortFallback: false }),
  }
}
