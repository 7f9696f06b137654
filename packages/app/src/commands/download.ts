import type { HostAndPort } from '../options/hostAndPort.ts'
import { type PeerSourceOptions, peerSourceSettings } from '../options/peerSources.ts'
import { type ProxyOptions, proxyOptionSettings } from '../options/proxyOptions.ts'
import { settingChanges } from '../options/settingChanges.ts'
import type { Output } from '../output/output.ts'
import { runTransfer } from '../transfer/runTransfer.ts'

/** Options of `lt download` as commander gives them. */
export interface DownloadOptions extends PeerSourceOptions, ProxyOptions {
  readonly output: string
  readonly port?: number
  readonly peer?: readonly HostAndPort[]
  readonly tracker?: readonly string[]
  /** Each `name=value`. */
  readonly set?: readonly string[]
  readonly select?: readonly string[]
  readonly sequential?: boolean
  /** False with --no-seed. */
  readonly seed: boolean
  readonly seedRatio?: number
  readonly seedTime?: number
}

/** `lt download`: gets the content, then gives it to others. */
export async function download(source: string, options: DownloadOptions, output: Output): Promise<number> {
  const transfer = {
    role: 'download',
    savePath: options.output,
    port: options.port ?? null,
    peers: options.peer ?? [],
    settings: { ...peerSourceSettings(options), ...proxyOptionSettings(options), ...settingChanges(options.set ?? []) },
    trackers: options.tracker ?? [],
    select: options.select ?? [],
    sequential: options.sequential ?? false,
    noSeed: !options.seed,
    seedRatio: options.seedRatio ?? null,
    seedTime: options.seedTime ?? null,
  } as const
  return runTransfer(source, transfer, output)
}
