import type { Settings } from 'libtorrent-ts'
import { type EncryptionOptions, encryptionSettings } from './encryption.ts'
import { type PeerSourceOptions, peerSourceSettings } from './peerSources.ts'
import { type ProxyOptions, proxyOptionSettings } from './proxyOptions.ts'
import { type TransportOptions, transportSettings } from './transport.ts'

/** How peers are found and reached; options as commander gives them. */
export interface NetworkOptions extends PeerSourceOptions, TransportOptions, EncryptionOptions, ProxyOptions {}

export function networkSettings(options: NetworkOptions): Partial<Settings> {
  return {
    ...peerSourceSettings(options),
    ...transportSettings(options),
    ...encryptionSettings(options),
    ...proxyOptionSettings(options),
  }
}
