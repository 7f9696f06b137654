import { ProxyType, type Settings } from 'libtorrent-ts'
import { CliError, USAGE_EXIT_CODE } from '../cliError.ts'
import { type EncryptionOptions, encryptionSettings } from './encryption.ts'
import { type PeerSourceOptions, peerSourceSettings } from './peerSources.ts'
import { type ProxyOptions, proxyOptionSettings } from './proxyOptions.ts'
import { type RateLimitOptions, rateLimitSettings } from './rateLimits.ts'
import { type TransportOptions, transportSettings } from './transport.ts'

const CARRIES_UDP: readonly number[] = [ProxyType.socks5, ProxyType.socks5Pw]

/** How peers are found, reached, and how fast; options as commander gives them. */
export interface NetworkOptions
  extends PeerSourceOptions,
    TransportOptions,
    EncryptionOptions,
    ProxyOptions,
    RateLimitOptions {}

/** @throws CliError for options that leave no way to any peer */
export function networkSettings(options: NetworkOptions): Partial<Settings> {
  const { transport, proxy } = options
  if (transport === 'utp' && proxy?.proxyType !== undefined && !CARRIES_UDP.includes(proxy.proxyType)) {
    throw new CliError(
      '--transport utp needs a proxy that carries UDP: --proxy socks5://... or socks5h://...',
      USAGE_EXIT_CODE,
    )
  }
  return {
    ...peerSourceSettings(options),
    ...transportSettings(options),
    ...encryptionSettings(options),
    ...proxyOptionSettings(options),
    ...rateLimitSettings(options),
  }
}
